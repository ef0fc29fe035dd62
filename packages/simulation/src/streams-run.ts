/**
 * One run of the streams suite. First faults; then all is healed and everything must be processed in bounded time; then
 * the applications end in order, and what they left is compared with what the input asks for.
 */
import { type Expected, expectedOf } from "./checker/expected.ts"
import { createTopics, outcome } from "./installation.ts"
import type { SeededRandom } from "./random.ts"
import { checkResults } from "./streams-check.ts"
import { CASES, type StreamsCase } from "./streams-cases.ts"
import type { Outcome, SuiteOptions } from "./suite.ts"
import { Application, type Settings } from "./workload/application.ts"
import { EventWriter } from "./workload/event-writer.ts"
import { Monitor } from "./workload/monitor.ts"
import { Observer } from "./workload/observer.ts"
import { APPLICATION, type ClosedValue, LATE, makePipeline, noTrouble, OUTPUTS, TOPICS } from "./workload/pipeline.ts"
import { BROKER_ADDRESS, World } from "./world.ts"

export const PARTITIONS = 2
/** Every so many seeds a case of the matrix instead of faults at random. */
const CASE_EVERY = 5
const CASE_SEED = 3
const EVENTS = 100
const FAULTS_MS = 9_000
const HEAL_MS = 120_000
/** After the last result was seen: what is put out twice has time to come. */
const REST_MS = 1_000
const CLOSE_MS = 90_000
const FAULT_PAUSE_MS_MAX = 900
/** Then so many events: much happens in the short times of commits and rebalances, and faults are to meet them there. */
const FAULT_PAUSE_EVENTS_MAX = 60
const REBALANCE_MS_MAX = 1_000
/** About as many as there are from a start until the tasks have moved, and where most of the moving is among them. */
const REBALANCE_EVENTS_MAX = 200
const REBALANCE_EVENTS = [40, 160] as const
const OUTAGE_MS_MAX = 500
/** Longer than a commit is waited for: its outcome is unknown then. */
const LONG_OUTAGE_MS_MAX = 3_000
/** Longer than a session, so that others take over what an isolated process still has. */
const ISOLATION_MS_MAX = 4_000
const AWAY_MS_MAX = 3_000
const SESSION_TIMEOUT_MS = 1_500
const HEARTBEAT_INTERVAL_MS = 200

/** State is compared with whole changelogs; transactions that are too old are aborted in time for their owners to see it. */
const BROKER_SETTINGS = {
  "log.cleaner.enable": "false",
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": "200",
}

/** Members are missed as soon as those of classic groups, and each task with state has a copy. */
const STREAMS_GROUP_SETTINGS = {
  "group.streams.session.timeout.ms": String(SESSION_TIMEOUT_MS),
  "group.streams.heartbeat.interval.ms": String(HEARTBEAT_INTERVAL_MS),
  "group.streams.initial.rebalance.delay.ms": "100",
  "group.streams.task.offset.interval.ms": "500",
  "group.streams.num.standby.replicas": "1",
}

export interface StreamsRunOptions extends SuiteOptions {
  readonly groupProtocol?: "classic" | "streams"
}

export class StreamsRun {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #isPower: boolean
  /** Every third run aims at tasks that move, and at the moment after a commit. */
  readonly #strikesMoves: boolean
  readonly #writer = new EventWriter(PARTITIONS)
  readonly #monitor = new Monitor(PARTITIONS)
  readonly #observers: readonly Observer[]
  readonly #closesWindows: boolean
  readonly #applications: readonly Application[]
  readonly #trouble = noTrouble()
  readonly #case: StreamsCase | undefined
  #isolations = 0

  /** `only`: the case to run whatever the seed; else every fifth seed runs one, in turn. */
  constructor(seed: number, options: StreamsRunOptions, only?: StreamsCase) {
    this.#case =
      only ?? (seed % CASE_EVERY === CASE_SEED ? CASES[Math.floor(seed / CASE_EVERY) % CASES.length] : undefined)
    const isPower = seed % 4 === 0
    const { groupProtocol = "classic" } = options
    const settings = {
      ...BROKER_SETTINGS,
      ...(isPower && { "log.flush.interval.messages": "1" }),
      ...(groupProtocol === "streams" && STREAMS_GROUP_SETTINGS),
    }
    const world = (this.#world = new World(seed, settings))
    world.scheduler.onEvent = options.onEvent
    const random = (this.#random = world.random.fork("suite"))
    this.#isPower = isPower
    this.#strikesMoves = seed % 3 === 0
    const variant = { hasEffects: random.chance(0.5), hasRx: random.chance(0.3), ...this.#case?.variant }
    this.#closesWindows = "idleAfterMs" in variant
    const outputs = this.#closesWindows ? [...OUTPUTS, LATE] : OUTPUTS
    this.#observers = outputs.map((topic) => new Observer(`observer-${topic}`, topic, PARTITIONS))
    const pipeline = makePipeline(variant, this.#trouble)
    const { standbyReplicas, ...drawn } = settingsOf(random)
    // In a streams group the broker says how many copies there are.
    const copies = groupProtocol === "classic" && { standbyReplicas: standbyReplicas! }
    const run = { ...drawn, ...copies, ...this.#case?.settings, groupProtocol }
    this.#applications = [0, 1].map((index) => new Application(world, `app${index}`, pipeline, run))
  }

  async run(): Promise<Outcome> {
    const world = this.#world
    world.startBroker()
    const topics = Object.values(TOPICS)
    await createTopics(world, this.#closesWindows ? [...topics, LATE] : topics, PARTITIONS)
    this.#startOthers()
    this.#applications[0]!.start(this.#random.chance(0.3) ? 1 + this.#random.int(12) : undefined)
    const end = world.scheduler.nowMs + FAULTS_MS
    while (world.scheduler.nowMs < end && !this.#broken) {
      await this.#pass(this.#random.int(FAULT_PAUSE_MS_MAX))
      await this.#passEvents(this.#random.int(FAULT_PAUSE_EVENTS_MAX))
      if (this.#case === undefined) await this.#strike()
      else await this.#strikeCase(this.#case)
    }
    // What a rebalance leaves undone, a later one may do: some runs end with one that is struck.
    if (this.#case === undefined && this.#strikesMoves && this.#random.chance(0.4))
      await this.#strikeInRebalance(this.#random.pick(this.#applications))
    world.network.heal()
    for (const application of this.#applications) if (!application.isUp) application.start()
    const done = await this.#until(() => this.#keepUp() && this.#isProcessed(), HEAL_MS)
    if (!done) return this.#outcome(this.#stuck())
    await this.#pass(REST_MS)
    const closed = await this.#until(() => this.#close(), CLOSE_MS)
    if (!closed) return this.#outcome(this.#stuck())
    return this.#outcome(this.#broken ? [] : await this.#check())
  }

  get #findings(): string[] {
    return [
      ...this.#world.faults,
      ...this.#monitor.findings,
      ...this.#observers.flatMap(({ findings }) => findings),
      ...this.#writer.failures.map((failure) => `a send failed: ${failure}`),
    ]
  }

  get #broken(): boolean {
    return this.#world.faults.length > 0
  }

  #startOthers(): void {
    const world = this.#world
    const writer = world.machine("writer").start()
    const options = {
      brokers: BROKER_ADDRESS,
      partitions: PARTITIONS,
      count: EVENTS,
      durationMs: FAULTS_MS,
      noiseChance: this.#case?.noiseChance,
    }
    world.spawn(writer, () => this.#writer.run(writer, this.#random.fork("writer"), options))
    for (const observer of this.#observers) {
      const name = `observer-${observer.topic}`
      const process = world.machine(name).start()
      world.spawn(process, () =>
        observer.run(process, this.#random.fork(name), {
          name,
          brokers: BROKER_ADDRESS,
          topic: observer.topic,
          partitions: PARTITIONS,
          isolation: "read_committed",
        }),
      )
    }
    const process = world.machine("monitor").start()
    const watched = { brokers: BROKER_ADDRESS, group: APPLICATION, topic: TOPICS.events, partitions: PARTITIONS }
    world.spawn(process, () => this.#monitor.run(process, watched))
  }

  #pass(ms: number): Promise<boolean> {
    return this.#until(() => false, ms)
  }

  #passEvents(count: number): Promise<boolean> {
    let left = count
    return this.#until(() => left-- <= 0, FAULT_PAUSE_MS_MAX)
  }

  /** Whether it came to be; a world that broke ends every wait. */
  async #until(until: () => boolean, ms: number): Promise<boolean> {
    const untilMs = this.#world.scheduler.nowMs + ms
    return (await this.#world.scheduler.run({ untilMs, until: () => this.#broken || until() })) === "done"
  }

  /** One fault, drawn from the seed; afterwards a broker is running. */
  async #strike(): Promise<void> {
    const [world, random] = [this.#world, this.#random]
    const broker = world.broker!
    const application = random.pick(this.#applications)
    const choice = random.float()
    if (choice < 0.1) this.#crash()
    else if (choice < 0.18) {
      broker.disk.dieInWrite(1 + random.int(30))
      await this.#until(() => !broker.alive, random.int(1_000))
      this.#crash()
    } else if (choice < 0.28) world.network.cut(random.pick(["broker", application.name]), random.pick([0.5, 1]))
    else if (choice < 0.45) {
      const isShort = this.#strikesMoves && random.chance(0.5)
      if (this.#strikesMoves && random.chance(0.5)) await this.#afterCommit(application)
      const victim = random.chance(0.85) ? application.name : "broker"
      await this.#isolate(victim, random.int(isShort ? SESSION_TIMEOUT_MS : ISOLATION_MS_MAX))
    } else if (choice < 0.55) await this.#strikeInRebalance(application)
    else if (choice < 0.65) application.kill()
    else if (choice < 0.8) application.state.dieInWrite(1 + random.int(6))
    else application.close()
    await this.#revive()
    for (const one of this.#applications) {
      if (one.isUp || random.chance(0.25)) continue
      if (random.chance(0.2)) await this.#pass(random.int(AWAY_MS_MAX))
      one.start(random.chance(0.1) ? 1 + random.int(12) : undefined)
    }
  }

  async #strikeCase(one: StreamsCase): Promise<void> {
    const [world, random, trouble] = [this.#world, this.#random, this.#trouble]
    const [victim, other] = this.#applications as [Application, Application]
    // Alone, so that all tasks are its own, or beside another.
    if (random.chance(0.5) && !other.isUp) other.start()
    if (!victim.isUp) victim.start()
    await one.strike({ world, random, victim, other, trouble, until: (holds, ms) => this.#until(holds, ms) })
    this.#struck++
  }
  #struck = 0

  async #isolate(name: string, ms: number): Promise<void> {
    this.#isolations++
    this.#world.network.isolate(name)
    await this.#pass(ms)
    this.#world.network.heal()
  }

  /** Right when it has heard that a transaction is committed. */
  async #afterCommit(application: Application): Promise<void> {
    const { committed } = application.transactions
    await this.#until(() => application.transactions.committed > committed, FAULT_PAUSE_MS_MAX)
  }

  /** The other one comes, and this one dies, to be back at once, or is cut off while it is to give tasks up for it. */
  async #strikeInRebalance(application: Application): Promise<void> {
    const other = this.#applications.find((one) => one !== application)!
    other.close()
    await this.#until(() => !other.isUp, REBALANCE_MS_MAX)
    if (!other.isUp) other.start()
    const random = this.#random
    await this.#passEvents(this.#strikesMoves ? random.between(...REBALANCE_EVENTS) : random.int(REBALANCE_EVENTS_MAX))
    if (this.#strikesMoves && random.chance(0.4))
      return await this.#isolate(application.name, random.between(SESSION_TIMEOUT_MS, ISOLATION_MS_MAX))
    application.kill()
    application.start()
  }

  /** Until a broker is up. */
  async #revive(): Promise<void> {
    const world = this.#world
    while (!this.#broken) {
      await this.#until(() => world.brokerReady || !world.broker!.alive, HEAL_MS)
      if (world.broker!.alive) return
      if (this.#isPower) world.broker!.power()
      await this.#pass(this.#random.int(this.#random.chance(0.25) ? LONG_OUTAGE_MS_MAX : OUTAGE_MS_MAX))
      world.startBroker()
    }
  }

  #crash(): void {
    if (this.#isPower) this.#world.broker!.power()
    else this.#world.broker!.kill()
  }

  /** Starts what died of a fault that was armed before. */
  #keepUp(): boolean {
    for (const application of this.#applications) if (!application.isUp) application.start()
    return true
  }

  #expected(): Expected {
    return (this.#expectation ??= expectedOf(this.#writer.sent))
  }
  #expectation: Expected | undefined

  /** The observers have seen as many results as there must be, and all input is committed. */
  #isProcessed(): boolean {
    if (!this.#writer.done) return false
    this.#writtenAtMs ??= this.#world.scheduler.nowMs
    const { records, ids } = this.#expected()
    const [joined, counts, windows] = this.#observers
    return (
      joined!.count >= records.joined &&
      counts!.count >= records.counts &&
      (this.#closesWindows ? this.#inWindows >= ids.size : windows!.count >= records.windows) &&
      this.#monitor.lookedAtMs >= this.#writtenAtMs &&
      this.#monitor.atEnd
    )
  }
  #writtenAtMs: number | undefined

  /** Events in windows that closed, or too late for theirs. */
  get #inWindows(): number {
    const [, , windows, late] = this.#observers
    const inOne = windows!.seen.flat().map(({ value }) => (JSON.parse(value) as ClosedValue).ids.length)
    return inOne.reduce((total, count) => total + count, late!.count)
  }

  /** Ends the applications in order; one that dies meanwhile is down too. */
  #close(): boolean {
    for (const application of this.#applications) application.close()
    return this.#applications.every(({ isUp }) => !isUp)
  }

  /** Who has not come to an end long after the faults did. */
  #stuck(): string[] {
    if (this.#broken) return []
    const findings: string[] = []
    if (!this.#writer.done) findings.push(`the writer is stuck: ${this.#writer.unanswered} records have no answer`)
    else {
      const { records } = this.#expected()
      if (this.#closesWindows) findings.push(`${this.#inWindows} of ${this.#expected().ids.size} events are in windows`)
      for (const { topic, count } of this.#observers) {
        if (this.#closesWindows && (topic === TOPICS.windows || topic === LATE)) continue
        const wanted = records[topic as keyof typeof records]
        if (count < wanted) findings.push(`${topic} has ${count} of ${wanted} results`)
      }
    }
    const { ends, committed } = this.#monitor
    for (const [partition, end] of ends.entries()) {
      const done = committed[partition]!
      if (done < end) findings.push(`${TOPICS.events}-${partition} ends at ${end}, the group has committed ${done}`)
    }
    for (const application of this.#applications) findings.push(application.describe())
    return findings
  }

  #check(): Promise<string[]> {
    return checkResults({
      world: this.#world,
      partitions: PARTITIONS,
      writer: this.#writer,
      expected: this.#expected(),
      observers: this.#observers,
      applications: this.#applications,
      closesWindows: this.#closesWindows,
    })
  }

  get #kind(): string {
    return this.#case?.name ?? (this.#isPower ? "power" : "kill")
  }

  #outcome(more: readonly string[]): Outcome {
    const world = this.#world
    world.end()
    const sum = (of: (application: Application) => number) =>
      this.#applications.reduce((total, application) => total + of(application), 0)
    return outcome(world, [...new Set([...this.#findings, ...more])], this.#kind, {
      commits: sum(({ transactions }) => transactions.committed),
      aborts: sum(({ transactions }) => transactions.aborted),
      "application starts": sum(({ starts }) => starts),
      kills: sum(({ kills }) => kills),
      closes: sum(({ closes }) => closes),
      "failed starts": sum(({ failedStarts }) => failedStarts),
      "engine writes forgotten": sum(({ state }) => state.forgotten),
      isolations: this.#isolations,
      "strikes of cases": this.#struck,
      "late events": this.#writer.done ? this.#expected().late : 0,
      observed: this.#observers.reduce((total, { count }) => total + count, 0),
    })
  }
}

/** What makes commits frequent or rare, and engines written at once or never. */
function settingsOf(random: SeededRandom): Settings {
  return {
    brokers: BROKER_ADDRESS,
    commitIntervalMs: random.pick([20, 100, 400]),
    transactionTimeoutMs: random.pick([500, 1_500]),
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    bufferedRecordsMax: random.pick([3, 50, 10_000]),
    repartitionPurgeIntervalMs: random.pick([0, 300, 2_000]),
    taskLimits: { waitingRecordsMax: random.pick([2, 10_000]) },
    flushLimits: { memtableBytesMax: random.pick([300, 1_000_000]), memtableAgeMs: random.pick([0, 60, 400, 5_000]) },
    // Copies of state, and tasks that warm up before they move or move at once.
    standbyReplicas: random.pick([0, 1]),
    acceptableRecoveryLag: random.pick([3, 30, 10_000]),
    probingRebalanceIntervalMs: random.pick([700, 5_000]),
  }
}
