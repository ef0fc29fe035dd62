/**
 * Frames over TCP to a broker that is a process of its own, whose memory is watched. Whatever comes, it lives on, and
 * serves a client that behaves when all is over.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient } from "@millrace/client"
import { parseAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { readLog } from "@millrace/simulation/workload/read-log"
import { BrokerProcess } from "../torture/broker-process.ts"
import { FAULTS } from "./broker-target.ts"
import { type Finding, newTally, type Tally } from "./findings.ts"
import { frameOf } from "./frames.ts"
import { patienceOf, Probe } from "./probe.ts"
import { TOPICS, Words } from "./words.ts"

const CONNECTIONS = 4
/** How long a frame that waits is waited for, and how long any other. */
const [WAIT_MS, ANSWER_MS_MAX] = [100, 60_000]
const TOPICS_AGAIN_EVERY = 500
/**
 * The broker's resident memory at most. A batch may decompress to 128 MiB, twice that while its parts are put together, and
 * a frame of the fuzz has some ten megabytes; the rest is what a broker takes at rest and what the collector lets lie.
 */
export const RSS_MIB_MAX = 1_024
const HEALTHY_RECORDS = 100

export interface ProcessResult {
  readonly findings: readonly Finding[]
  readonly tally: Tally
  readonly frames: number
  readonly rssMibMax: number
}

export async function fuzzProcess(options: {
  readonly frames: number
  readonly seed: number
  readonly onProgress?: (done: number, tally: Tally) => void
}): Promise<ProcessResult> {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-fuzz-"))
  const broker = new BrokerProcess(path.join(directory, "data"), [
    "metadata.max.partitions=60",
    "offsets.topic.num.partitions=2",
    "transaction.state.log.num.partitions=2",
    "group.initial.rebalance.delay.ms=0",
    "log.retention.bytes=100000000",
  ])
  try {
    await broker.start()
    return await new ProcessFuzz(broker, options).run()
  } finally {
    await broker.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

class ProcessFuzz {
  readonly #broker: BrokerProcess
  readonly #options: Parameters<typeof fuzzProcess>[0]
  readonly #tally = newTally()
  readonly #words = new Words()
  readonly #findings: Finding[] = []
  #next = 0
  #rssMibMax = 0

  constructor(broker: BrokerProcess, options: Parameters<typeof fuzzProcess>[0]) {
    this.#broker = broker
    this.#options = options
  }

  async run(): Promise<ProcessResult> {
    await this.#createTopics()
    await Promise.all(Array.from({ length: CONNECTIONS }, () => this.#connection()))
    if (this.#broker.alive) await this.#checkHealth()
    else this.#found(`the broker is gone: ${this.#broker.output.slice(-10).join("\n")}`)
    for (const line of this.#broker.output) if (FAULTS.test(line)) this.#found(`the log says: ${line}`)
    if (this.#rssMibMax > RSS_MIB_MAX) this.#found(`the broker took ${Math.round(this.#rssMibMax)} MiB`)
    return { findings: this.#findings, tally: this.#tally, frames: this.#next, rssMibMax: this.#rssMibMax }
  }

  async #connection(): Promise<void> {
    const { frames, seed, onProgress } = this.#options
    let probe: Probe | undefined
    while (this.#next < frames && this.#findings.length === 0 && this.#broker.alive) {
      const index = this.#next++
      if (index % TOPICS_AGAIN_EVERY === TOPICS_AGAIN_EVERY - 1) {
        await this.#createTopics()
        this.#rssMibMax = Math.max(this.#rssMibMax, residentMib(this.#broker.pid))
        onProgress?.(index + 1, this.#tally)
      }
      const frame = frameOf(index, { seed, words: this.#words, now: Date.now(), sasl: false })
      try {
        probe ??= new Probe(await nodeHost.net.connect(parseAddress(this.#broker.address)!))
      } catch (cause) {
        if (this.#broker.alive) this.#found(`it does not take connections: ${String(cause)}`, frame.bytes)
        return
      }
      const isKept = await this.#send(probe, frame.bytes, frame.what, frame.isWhole)
      if (isKept) continue
      probe.destroy()
      probe = undefined
    }
    probe?.destroy()
  }

  /** Whether the connection may be used for another frame. */
  async #send(probe: Probe, bytes: Uint8Array, what: string, isWhole: boolean): Promise<boolean> {
    const startedMs = performance.now()
    probe.write(bytes)
    const patience = isWhole ? patienceOf(bytes) : "silent"
    const isPatient = patience === 0
    await probe.whenSettled(isPatient ? ANSWER_MS_MAX : WAIT_MS)
    const tookMs = performance.now() - startedMs
    if (isPatient && tookMs > this.#tally.slowestMs) {
      this.#tally.slowestMs = tookMs
      this.#tally.slowest = `${what}, ${bytes.length} bytes`
    }
    if (probe.answers.length > 0) {
      this.#tally.answered++
      const wrong = isWhole ? probe.takeAnswer(bytes, this.#words) : undefined
      if (wrong !== undefined) this.#found(`${what}: ${wrong}`, bytes)
      return isWhole && !probe.closed && !probe.isRaw
    }
    if (probe.closed) this.#tally.closed++
    else if (patience === "silent") this.#tally.silent++
    else if (patience === 0) this.#found(`${what}: it was not answered within ${ANSWER_MS_MAX} ms`, bytes)
    else this.#tally.waited++
    return false
  }

  /** As an application would: a topic, records in, records out. */
  async #checkHealth(): Promise<void> {
    const client = this.#client()
    try {
      const admin = client.admin()
      // What the frames made may be all that there may be.
      await admin.deleteTopics(await admin.listTopics())
      await admin.createTopics([{ name: "healthy", partitions: 1, replicationFactor: -1 }])
      const producer = client.producer()
      const value = new TextEncoder().encode("v")
      await Promise.all(
        Array.from({ length: HEALTHY_RECORDS }, () =>
          producer.send({ topic: "healthy", partition: 0, key: null, value }),
        ),
      )
      await producer.close()
      const read = await readLog(nodeHost, this.#broker.address, "healthy", 1, "read_committed")
      if (read[0]!.length !== HEALTHY_RECORDS)
        this.#found(`a client read ${read[0]!.length} of ${HEALTHY_RECORDS} records`)
    } catch (cause) {
      this.#found(`a client that behaves is not served: ${(cause instanceof Error && cause.stack) || String(cause)}`)
    } finally {
      await client.close()
    }
  }

  async #createTopics(): Promise<void> {
    const client = this.#client()
    const topics = TOPICS.map((name) => ({ name, partitions: 2, replicationFactor: -1 }))
    // Those that are there are refused, all the same.
    await client
      .admin()
      .createTopics(topics)
      .catch(() => {})
    await client.close()
  }

  #client(): KafkaClient {
    return new KafkaClient({ host: nodeHost, brokers: this.#broker.address, clientId: "healthy" })
  }

  #found(what: string, frame?: Uint8Array): void {
    this.#findings.push({ what, frame })
  }
}

function residentMib(pid: number): number {
  // The high-water mark: what came and went between two looks counts.
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024
}
