/**
 * A whole broker in this process, on a disk in memory, with a clock that the fuzz moves: every frame comes in through a
 * connection, as from a socket, and is answered, or the connection is closed with a line in the log, or it waits for what
 * it asked to wait for. At the end the broker is stopped or killed, and starts once more on what hostile clients left.
 */
import { Broker } from "@millrace/broker"
import { BufferPool, type Clock, type Host, memoryNet, type Net } from "@millrace/host"
import { VirtualClock } from "@millrace/host/virtual-clock"
import { type Api, type Encodable, encodeRequest } from "@millrace/protocol"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { SimulatedDevice } from "@millrace/simulation/disk"
import { SeededRandom } from "@millrace/simulation/random"
import type { Finding, Tally } from "./findings.ts"
import { type Frame, frameOf } from "./frames.ts"
import { patienceOf, Probe } from "./probe.ts"
import { TOPICS, Words } from "./words.ts"

const EPOCH_MS = 1_767_225_600_000
const HOST = "broker"
const [PORT, SASL_PORT] = [9092, 9093]
/** Few partitions, since each is a directory; a bomb is one above 64 MiB. */
const SETTINGS: Readonly<Record<string, string>> = {
  listeners: `PLAINTEXT://${HOST}:${PORT},SASL_PLAINTEXT://${HOST}:${SASL_PORT}`,
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
  "listener.name.sasl_plaintext.plain.sasl.jaas.config":
    'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";',
  "authorizer.class.name": "acl",
  "super.users": "User:ANONYMOUS",
  "metadata.max.partitions": "60",
  "offsets.topic.num.partitions": "2",
  "transaction.state.log.num.partitions": "2",
  "group.initial.rebalance.delay.ms": "0",
  "max.decompressed.message.bytes": String(64 << 20),
  "log.roll.ms": "5000",
}
const CONNECTIONS = 6
/** Frames after which topics that were deleted are made again. */
const TOPICS_AGAIN_EVERY = 100
/** Of connections that wait: the first one is hung up when there are more. */
const PARKED_MAX = 60
/** Longest that anything but a fetch or a member of a group may be without an answer. */
const PATIENCE_MS = 60_000
/** Longest that one frame may keep a broker busy, of CPU time: what else the machine does must not decide. Frames of the fuzz are small beside socket.request.max.bytes. */
export const TURN_MS_MAX = 10_000
/** Lines of the log that tell of a fault in the broker, whatever came in. */
export const FAULTS =
  /took back a decision|cannot load|is offline|put aside|: cut \d|internal error|(?:^|ERROR )[a-z ]+ failed: /

interface Parked {
  readonly probe: Probe
  readonly frame: Frame
}

export class FuzzedBroker {
  readonly words = new Words()
  readonly findings: Finding[] = []
  readonly #seed: number
  readonly #tally: Tally
  readonly #turnMsMax: number
  readonly #random: SeededRandom
  readonly #clock = new VirtualClock(EPOCH_MS)
  readonly #device: SimulatedDevice
  readonly #probes: (Probe | undefined)[] = []
  readonly #parked: Parked[] = []
  #process = { alive: true, name: HOST, die: () => {} }
  #net: Net = memoryNet()
  #broker: Broker | undefined
  #lines = 0
  #failedLogins = 0
  #last: Frame | undefined

  constructor(seed: number, epoch: number, tally: Tally, turnMsMax = Number.POSITIVE_INFINITY) {
    this.#seed = seed
    this.#tally = tally
    this.#turnMsMax = turnMsMax
    this.#random = new SeededRandom(`${seed}/broker/${epoch}`)
    this.#device = new SimulatedDevice(this.#random.fork("device"))
  }

  async start(): Promise<void> {
    await this.#startBroker()
    await this.#createTopics()
  }

  /** Those that requests are about: some delete them. */
  async #createTopics(): Promise<void> {
    const admin = await this.#connect(PORT)
    const topics = TOPICS.map((name) => ({
      name,
      numPartitions: 2,
      replicationFactor: -1,
      assignments: [],
      configs:
        name === "compacted"
          ? [{ name: "cleanup.policy", value: "compact" }]
          : name === "timed"
            ? [{ name: "message.timestamp.type", value: "LogAppendTime" }]
            : [],
    }))
    await this.#ask(admin, CreateTopics, 7, { topics })
    // It tells their ids.
    await this.#ask(admin, Metadata, 12, { topics: null })
    admin.destroy()
  }

  /** Sends frame `index` of the seed. */
  async feed(index: number): Promise<void> {
    if (index % TOPICS_AGAIN_EVERY === 0) await this.#createTopics()
    const sasl = index % 10 === 9
    const frame = frameOf(index, { seed: this.#seed, words: this.words, now: this.#clock.now(), sasl })
    // Where clients authenticate one message follows another: they share a connection.
    await this.send(frame, sasl ? 0 : index % CONNECTIONS, sasl)
    this.#clock.advance(this.#random.chance(0.005) ? this.#random.int(15_000) : this.#random.int(16))
  }

  async send(frame: Frame, connection = 0, sasl = false): Promise<void> {
    this.#last = frame
    const place = sasl ? CONNECTIONS + connection : connection
    const probe = (this.#probes[place] ??= await this.#connect(sasl ? SASL_PORT : PORT))
    const linesBefore = this.#lines
    const before = process.cpuUsage()
    probe.write(frame.bytes)
    await settle()
    const { user, system } = process.cpuUsage(before)
    const tookMs = (user + system) / 1_000
    if (tookMs > this.#tally.slowestMs) {
      this.#tally.slowestMs = tookMs
      this.#tally.slowest = `${frame.what}, ${frame.bytes.length} bytes`
    }
    if (tookMs > this.#turnMsMax) {
      this.#found(`it kept the broker from all others for ${Math.round(tookMs)} ms of CPU time`)
    }
    await this.#conclude(probe, frame, place, linesBefore)
    if (!frame.isWhole) this.#hangUp(place)
  }

  async #conclude(probe: Probe, frame: Frame, place: number, linesBefore: number): Promise<void> {
    for (let patience = 0; ; patience++) {
      if (probe.answers.length > 0) {
        const wrong = frame.isWhole ? probe.takeAnswer(frame.bytes, this.words) : undefined
        if (wrong !== undefined) this.#found(wrong)
        else if (frame.isWhole && probe.answers.length > 0) this.#found("it was answered twice")
        this.#tally.answered++
      } else if (probe.closed) {
        // Who was not let in is told once; that it came again is counted, and told a minute later.
        const isCounted = place >= CONNECTIONS && (await this.#isLoginCounted())
        if (this.#lines === linesBefore && !isCounted)
          this.#found("the connection was closed without a line in the log")
        this.#tally.closed++
      } else if (!frame.isWhole || patienceOf(frame.bytes) === "silent") {
        this.#tally.silent++
      } else if (patience < 3) {
        this.#clock.advance(50)
        await settle()
        continue
      } else {
        this.#tally.waited++
        this.#parked.push({ probe, frame })
        this.#probes[place] = undefined
        if (this.#parked.length > PARKED_MAX) this.#parked.shift()!.probe.destroy()
      }
      if (probe.closed) this.#probes[place] = undefined
      return
    }
  }

  /** Time passes: what waits is answered. Then the broker ends, and starts again on its disk. */
  async finish(): Promise<void> {
    await this.#pass(PATIENCE_MS)
    for (const { probe, frame } of this.#parked) {
      const patience = patienceOf(frame.bytes)
      if (probe.answers.length > 0 || probe.closed || patience === "waits") continue
      if (typeof patience === "number" && patience > PATIENCE_MS) continue
      this.#found(`it was not answered within ${PATIENCE_MS} ms`, frame)
    }
    await this.#checkHealth()
    for (const place of this.#probes.keys()) this.#hangUp(place)
    for (const { probe } of this.#parked.splice(0)) probe.destroy()
    await settle()
    if (this.#random.chance(0.5)) await this.#stop()
    else this.#kill()
    await this.#startBroker()
    await this.#checkHealth()
    await this.#stop()
  }

  async #startBroker(): Promise<void> {
    this.#failedLogins = 0
    const process = { alive: true, name: HOST, die: () => {} }
    const disk = this.#device.attach(process, (_delayMs, run) => setImmediate(run))
    this.#process = process
    this.#net = memoryNet()
    const clock: Clock = {
      now: () => this.#clock.now(),
      monotonic: () => this.#clock.monotonic(),
      setTimer: (delayMs, callback) => this.#clock.setTimer(delayMs, () => process.alive && callback()),
    }
    const host: Host = { clock, random: this.#random.fork("host"), disk, net: this.#net }
    this.#broker = await Broker.start({
      host,
      dataDir: "/data",
      listen: { host: HOST, port: PORT },
      config: SETTINGS,
      // Whoever reads what was given back reads this.
      buffers: new BufferPool({ poisons: true }),
      log: (line) => this.#logged(line),
      onDefect: (cause) => this.#found(`a defect: ${(cause instanceof Error && cause.stack) || String(cause)}`),
    })
  }

  async #stop(): Promise<void> {
    const closed = this.#broker!.close()
    let done = false
    void closed.then(() => (done = true))
    while (!done) {
      await settle()
      this.#clock.advance(100)
    }
    await closed
  }

  #kill(): void {
    this.#device.kill(this.#process)
    this.#process.alive = false
  }

  /** One more login has failed than when this was last asked. */
  async #isLoginCounted(): Promise<boolean> {
    const before = this.#failedLogins
    const { failedAuthentications } = await this.#broker!.metrics()
    this.#failedLogins = failedAuthentications.reduce((sum, { count }) => sum + count, 0)
    return this.#failedLogins > before
  }

  /** Whoever behaves is answered, however others did. */
  async #checkHealth(): Promise<void> {
    this.#last = undefined
    const client = await this.#connect(PORT)
    const answered = await this.#ask(client, Metadata, 12, { topics: null })
    if (!answered) this.#found("a client that behaves is not answered")
    client.destroy()
    await settle()
  }

  async #ask<A extends Api>(probe: Probe, api: A, version: number, body: Encodable<A["request"]>): Promise<boolean> {
    const bytes = Buffer.concat(encodeRequest(api, version, { correlationId: 7, clientId: "healthy" }, body))
    probe.write(bytes)
    for (let waited = 0; waited < PATIENCE_MS && probe.answers.length === 0 && !probe.closed; waited += 100) {
      await settle()
      if (probe.answers.length === 0) this.#clock.advance(100)
    }
    return probe.answers.length > 0 && probe.takeAnswer(bytes, this.words) === undefined
  }

  async #pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.#clock.advance(1_000)
      await settle()
    }
  }

  async #connect(port: number): Promise<Probe> {
    return new Probe(await this.#net.connect({ host: HOST, port }))
  }

  #hangUp(place: number): void {
    this.#probes[place]?.destroy()
    this.#probes[place] = undefined
  }

  #logged(line: string): void {
    this.#lines++
    if (FAULTS.test(line)) this.#found(`the log says: ${line}`)
  }

  /** What nothing caught is told by whoever hears of it. */
  uncaught(cause: unknown): void {
    this.#found(`nothing caught: ${(cause instanceof Error && cause.stack) || String(cause)}`)
  }

  #found(what: string, frame = this.#last): void {
    this.findings.push({ what: frame === undefined ? what : `${frame.what}: ${what}`, frame: frame?.bytes })
  }
}

export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
