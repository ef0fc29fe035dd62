/**
 * Idempotent writers and transactional copiers against a broker that is killed inside writes, loses power, and is cut
 * off, while others watch. First safety under faults, then heal and liveness, then every checker over the whole log.
 */
import { BrokerFaults, type CrashKind } from "./broker-faults.ts"
import { exactCopy } from "./checker/exact-copy.ts"
import { noDuplicate } from "./checker/no-duplicate.ts"
import { noLostAcknowledgement } from "./checker/no-lost-acknowledgement.ts"
import { observed, type Placed } from "./checker/observed.ts"
import { sentOrder } from "./checker/sent-order.ts"
import { createTopics, outcome, read } from "./installation.ts"
import type { SimulatedProcess } from "./machine.ts"
import type { SeededRandom } from "./random.ts"
import type { Outcome, SuiteOptions } from "./suite.ts"
import { abandon } from "./workload/orphan.ts"
import { copy, CopierLog, CopierProcess } from "./workload/copier.ts"
import { Monitor } from "./workload/monitor.ts"
import { Observer } from "./workload/observer.ts"
import { track, TrackerLog } from "./workload/tracker.ts"
import type { GroupProtocol } from "./workload/consumer-member.ts"
import { Writer } from "./workload/writer.ts"
import { BROKER_ADDRESS, PRODUCER_FORGOTTEN_MS, World } from "./world.ts"

export interface CrashVariant {
  /** Each member of a group speaks one of them. */
  readonly protocols: readonly GroupProtocol[]
  /** More settings of the broker. */
  readonly settings?: Readonly<Record<string, string>>
}

const SOURCE = "source"
const TARGET = "target"
const COPIERS = "copiers"
const TRACKERS = "trackers"
const PARTITIONS = 2
const RECORDS_PER_WRITER = 100
/** Virtual time of faults, and how long everything may take after they stopped. */
const FAULTS_MS = 12_000
const HEAL_MS = 240_000
const FAULT_PAUSE_MS_MAX = 1_500
/** Longer than a copier's session and its shorter transaction timeout, shorter than a request's. */
const ISOLATION_MS_MAX = 9_000

export class CrashRun {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #kind: CrashKind
  readonly #faults: BrokerFaults
  readonly #protocols: readonly GroupProtocol[]
  readonly #writers = Array.from({ length: 2 }, () => new Writer(PARTITIONS))
  readonly #log = new CopierLog()
  /** The latest process of each copier. */
  readonly #copiers: { readonly process: SimulatedProcess; readonly self: CopierProcess }[] = []
  readonly #tracked = new TrackerLog()
  readonly #trackers: SimulatedProcess[] = []
  readonly #monitor = new Monitor(PARTITIONS)
  readonly #trackerMonitor = new Monitor(PARTITIONS)
  readonly #observers = [new Observer("observer0", SOURCE, PARTITIONS), new Observer("observer1", TARGET, PARTITIONS)]
  #successors = 0
  #orphans = 0

  constructor(seed: number, kind: CrashKind, { protocols, settings }: CrashVariant, options: SuiteOptions) {
    const flushes = kind === "power-fsync" ? { "log.flush.interval.messages": "1" } : {}
    this.#world = new World(seed, { ...settings, ...flushes })
    this.#world.scheduler.onEvent = options.onEvent
    this.#random = this.#world.random.fork("suite")
    this.#kind = kind
    this.#faults = new BrokerFaults(this.#world, this.#random, kind)
    this.#protocols = protocols
  }

  async run(): Promise<Outcome> {
    const world = this.#world
    world.startBroker()
    await createTopics(world, [SOURCE, TARGET], PARTITIONS)
    this.#startAll()
    const end = world.scheduler.nowMs + FAULTS_MS
    while (world.scheduler.nowMs < end && !this.#world.isBroken) {
      await this.#world.pass(this.#random.int(FAULT_PAUSE_MS_MAX))
      await this.#strike()
    }
    world.network.heal()
    const done = await world.scheduler.run({
      untilMs: world.scheduler.nowMs + HEAL_MS,
      until: () => this.#world.isBroken || this.#isCopied(),
    })
    if (done !== "done") return this.#outcome(this.#stuck())
    for (const { self } of this.#copiers) self.stopped = true
    await this.#world.until(() => this.#copiers.every(({ self }) => self.ended), HEAL_MS)
    if (!this.#world.isBroken && !this.#copiers.every(({ self }) => self.ended)) return this.#outcome(this.#stuck())
    return this.#outcome(this.#world.isBroken ? [] : await this.#check())
  }

  get #findings(): string[] {
    return [
      ...this.#world.faults,
      ...this.#monitor.findings,
      ...this.#trackerMonitor.findings,
      ...this.#observers.flatMap(({ findings }) => findings),
      ...this.#writers.flatMap(({ failures }) => failures.map((failure) => `a send failed: ${failure}`)),
    ]
  }

  /** The monitor looked after the last write and found all of it processed. */
  #isCopied(): boolean {
    if (!this.#writers.every(({ done }) => done)) return false
    this.#writtenAtMs ??= this.#world.scheduler.nowMs
    const writtenAtMs = this.#writtenAtMs
    return [this.#monitor, this.#trackerMonitor].every(({ lookedAtMs, atEnd }) => lookedAtMs >= writtenAtMs && atEnd)
  }
  #writtenAtMs: number | undefined

  #startAll(): void {
    const world = this.#world
    const silent = this.#random.chance(0.25) ? this.#random.int(2) : -1
    for (const [index, writer] of this.#writers.entries()) {
      const name = `writer${index}`
      const process = world.machine(name).start()
      const random = this.#random.fork(name)
      world.spawn(process, () =>
        writer.run(process, random, {
          name: `w${index}`,
          brokers: BROKER_ADDRESS,
          topic: SOURCE,
          partitions: PARTITIONS,
          count: RECORDS_PER_WRITER,
          durationMs: FAULTS_MS,
          silenceMs: index === silent ? PRODUCER_FORGOTTEN_MS : 0,
        }),
      )
    }
    for (let index = 0; index < 2; index++) this.#startCopier(index)
    for (const [index, observer] of this.#observers.entries()) {
      const name = `observer${index}`
      const process = world.machine(name).start()
      const isolation = observer.topic === TARGET ? "read_committed" : "read_uncommitted"
      const options = {
        name,
        brokers: BROKER_ADDRESS,
        topic: observer.topic,
        partitions: PARTITIONS,
        isolation,
      } as const
      world.spawn(process, () => observer.run(process, this.#random.fork(name), options))
    }
    for (let index = 0; index < 2; index++) this.#startTracker(index)
    this.#startMonitor(this.#monitor, COPIERS, this.#log.committed)
    this.#startMonitor(this.#trackerMonitor, TRACKERS, this.#tracked.committed)
  }

  #startMonitor(monitor: Monitor, group: string, answered: ReadonlyMap<number, number>): void {
    const process = this.#world.machine(`monitor of ${group}`).start()
    const options = { brokers: BROKER_ADDRESS, group, topic: SOURCE, partitions: PARTITIONS, answered }
    this.#world.spawn(process, () => monitor.run(process, options))
  }

  get #protocol(): GroupProtocol {
    return this.#protocols.length > 1 ? this.#random.pick(this.#protocols) : this.#protocols[0]!
  }

  #startTracker(index: number): void {
    const name = `tracker${index}`
    this.#trackers[index]?.kill()
    const process = this.#world.machine(name).start()
    this.#trackers[index] = process
    const options = { name, brokers: BROKER_ADDRESS, group: TRACKERS, protocol: this.#protocol, topic: SOURCE }
    this.#world.spawn(process, () => track(process, this.#random.fork(name), options, this.#tracked, () => false))
  }

  /** A process for a copier; the one before, if it lives, is about to be fenced. */
  #startCopier(index: number): void {
    const before = this.#copiers[index]
    if (before) {
      before.self.retired = true
      this.#successors++
    }
    const name = `copier${index}`
    const process = this.#world.machine(name).start(before ? `${name}.${this.#successors}` : name)
    const self = new CopierProcess()
    this.#copiers[index] = { process, self }
    const options = {
      name,
      brokers: BROKER_ADDRESS,
      group: COPIERS,
      protocol: this.#protocol,
      source: SOURCE,
      target: TARGET,
      targetPartitions: PARTITIONS,
    }
    this.#world.spawn(process, () => copy(process, this.#random.fork(name), options, this.#log, self))
  }

  /** A transaction that nobody ends: the coordinator has to. */
  #startOrphan(): void {
    const name = `orphan${this.#orphans++}`
    const process = this.#world.machine(name).start()
    this.#world.spawn(process, () =>
      abandon(process, { name, brokers: BROKER_ADDRESS, topic: TARGET, partitions: PARTITIONS }, this.#log.aborted),
    )
  }

  /** One fault, drawn from the seed; afterwards a broker is running. */
  async #strike(): Promise<void> {
    const [world, random, faults] = [this.#world, this.#random, this.#faults]
    const choice = random.float()
    if (choice < 0.2) faults.crash()
    else if (choice < 0.35) await faults.crashInWrite()
    else if (choice < 0.5) await faults.crashInChange()
    else if (choice < 0.6) world.network.cut("broker", 0.5)
    else if (choice < 0.7) world.network.clog("broker", 0.4, ISOLATION_MS_MAX)
    else if (choice < 0.8) {
      const names = this.#copiers.map(({ process }) => process.name)
      world.network.isolate(random.pick(["broker", "writer0", "tracker0", ...names, ...names]))
      await this.#world.pass(random.int(ISOLATION_MS_MAX))
      world.network.heal()
    } else if (choice < 0.85) this.#startOrphan()
    else if (choice < 0.9) this.#startTracker(random.int(this.#trackers.length))
    else {
      const index = random.int(this.#copiers.length)
      if (random.chance(0.5)) this.#copiers[index]!.process.kill()
      if (random.chance(0.2)) await this.#world.pass(random.int(4_000))
      this.#startCopier(index)
    }
    await faults.revive()
  }

  /** Who has not come to an end long after the faults did. */
  #stuck(): string[] {
    const findings = this.#findings
    if (this.#world.isBroken) return findings
    for (const [index, writer] of this.#writers.entries()) {
      const { unanswered } = writer
      if (!writer.done)
        findings.push(`writer${index} is stuck: no answer for ${unanswered.length} records, first ${unanswered[0]}`)
    }
    for (const { process, self } of this.#copiers)
      if (!self.ended) findings.push(`${process.name} is not done: it is ${self.step}`)
    for (const [group, monitor] of [
      [COPIERS, this.#monitor],
      [TRACKERS, this.#trackerMonitor],
    ] as const) {
      for (const [partition, end] of monitor.ends.entries()) {
        const done = monitor.committed[partition]!
        if (done < end) findings.push(`${SOURCE}-${partition} ends at ${end}, group ${group} has committed ${done}`)
      }
    }
    const failure = this.#log.failures.at(-1)
    if (failure !== undefined) findings.push(`the last failure of a copier: ${failure}`)
    return findings
  }

  async #check(): Promise<string[]> {
    const source = await read(this.#world, SOURCE, PARTITIONS, "read_uncommitted")
    const target = source && (await read(this.#world, TARGET, PARTITIONS, "read_committed"))
    const written = target && (await read(this.#world, TARGET, PARTITIONS, "read_uncommitted"))
    if (source === undefined || target === undefined || written === undefined) {
      return this.#world.isBroken ? [] : ["the log could not be read"]
    }
    const [sourceObserver, targetObserver] = this.#observers
    await this.#world.until(
      () => sourceObserver!.count >= source.flat().length && targetObserver!.count >= target.flat().length,
      HEAL_MS,
    )
    const acknowledged = new Map(this.#writers.flatMap((writer) => [...writer.acknowledged]))
    const [sourceValues, targetValues] = [valuesOf(source), valuesOf(target)]
    const visible = new Set(valuesOf(written).flat())
    const hidden = this.#log.abortedAndAcknowledged
    return [
      ...noLostAcknowledgement(acknowledged, source),
      ...noDuplicate(sourceValues.flat()),
      ...exactCopy(sourceValues.flat(), targetValues.flat(), this.#log.aborted),
      ...sourceValues.flatMap((values, partition) => sentOrder(`${SOURCE}-${partition}`, values)),
      ...targetValues.flatMap((values, partition) => sentOrder(`${TARGET}-${partition}`, values)),
      ...[...new Set(sourceValues.flat())]
        .filter((value) => !this.#tracked.processed.has(value))
        .map((value) => `committed as read and never processed: ${value}`),
      ...compare(SOURCE, sourceObserver!, source),
      ...compare(TARGET, targetObserver!, target),
      ...[...hidden].filter((value) => !visible.has(value)).map((value) => `acknowledged but missing: ${value}`),
    ]
  }

  #outcome(more: readonly string[]): Outcome {
    const [world, log] = [this.#world, this.#log]
    world.end()
    const { census } = world
    const findings = [...new Set([...this.#findings, ...more])]
    return outcome(world, findings, this.#kind, {
      commits: log.commits,
      aborts: log.aborts,
      "copier errors": log.failures.length,
      successors: this.#successors,
      orphans: this.#orphans,
      "plain commits": this.#tracked.commits,
      // A few of these are aborts whose answer was lost.
      "aborted by others": Math.max(0, census.aborted - log.aborts),
      "open at a start": census.openAtStart,
      "prepared at a start": census.preparedAtStart,
      "producers forgotten": this.#writers.reduce((sum, { silences }) => sum + silences, 0),
      observed: this.#observers.reduce((sum, { count }) => sum + count, 0),
    })
  }
}

function valuesOf(log: readonly (readonly Placed[])[]): string[][] {
  return log.map((records) => records.map(({ value }) => value))
}

function compare(topic: string, observer: Observer, log: readonly (readonly Placed[])[]): string[] {
  const missing = log.flat().length - observer.count
  return [
    ...observer.seen.flatMap((seen, partition) => observed(`${topic}-${partition}`, seen, log[partition]!)),
    ...(missing > 0 ? [`the observer of ${topic} never saw ${missing} records`] : []),
  ]
}
