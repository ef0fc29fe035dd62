/**
 * Some of the workloads of topics, transactions, compaction, retention and admin in one world, under every fault of broker,
 * disk and network. First safety under faults, then heal and liveness: all that waits is done within a bound.
 */
import { BrokerFaults, type CrashKind } from "./broker-faults.ts"
import { makeTopics, outcome } from "./installation.ts"
import type { SeededRandom } from "./random.ts"
import type { Outcome, SuiteOptions } from "./suite.ts"
import { Catalog } from "./workload/catalog.ts"
import { Ledger } from "./workload/ledger.ts"
import { Table } from "./workload/table.ts"
import { Window } from "./workload/window.ts"
import type { Workload } from "./workload/workload.ts"
import { World } from "./world.ts"

const FAULTS_MS = 12_000
const HEAL_MS = 240_000
const FAULT_PAUSE_MS_MAX = 1_500
const ISOLATION_MS_MAX = 9_000
const WORKLOADS_AT_ONCE = 2
const SETTINGS: Readonly<Record<string, string>> = {
  "log.cleaner.backoff.ms": "300",
  "log.cleaner.io.buffer.size": "2000",
  "log.retention.check.interval.ms": "400",
  "connections.max.idle.ms": "20000",
  "metadata.log.max.record.bytes.between.snapshots": "3000",
}

export class LogsRun {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #kind: CrashKind
  readonly #faults: BrokerFaults
  readonly #workloads: readonly Workload[]

  constructor(seed: number, kind: CrashKind, options: SuiteOptions) {
    this.#world = new World(seed, {
      ...SETTINGS,
      ...(kind === "power-fsync" && { "log.flush.interval.messages": "1" }),
    })
    this.#world.scheduler.onEvent = options.onEvent
    this.#random = this.#world.random.fork("suite")
    this.#kind = kind
    this.#faults = new BrokerFaults(this.#world, this.#random, kind)
    const [world, random] = [this.#world, this.#random]
    const makers = [
      () => new Ledger(world, random.fork("ledger")),
      () => new Table(world, random.fork("table")),
      () => new Window(world, random.fork("window"), FAULTS_MS),
      () => new Catalog(world, random.fork("catalog")),
    ]
    const first = random.int(makers.length)
    const step = 1 + random.int(makers.length - 1)
    this.#workloads = Array.from({ length: WORKLOADS_AT_ONCE }, (_, at) =>
      makers[(first + at * step) % makers.length]!(),
    )
  }

  async run(): Promise<Outcome> {
    const world = this.#world
    world.startBroker()
    await makeTopics(
      world,
      this.#workloads.flatMap(({ topics }) => topics),
    )
    for (const workload of this.#workloads) workload.start()
    const end = world.scheduler.nowMs + FAULTS_MS
    while (world.scheduler.nowMs < end && !world.isBroken) {
      await world.pass(this.#random.int(FAULT_PAUSE_MS_MAX))
      await this.#strike()
    }
    world.network.heal()
    await world.until(() => this.#workloads.every(({ isDone }) => isDone), HEAL_MS)
    const findings = this.#workloads.flatMap((workload) => (workload.isDone ? [] : workload.waitsFor()))
    if (findings.length === 0 && !world.isBroken) {
      for (const workload of this.#workloads) findings.push(...(await workload.check()))
    }
    return this.#outcome(findings)
  }

  /** One fault, drawn from the seed; afterwards a broker is running. */
  async #strike(): Promise<void> {
    const [world, random, faults] = [this.#world, this.#random, this.#faults]
    const { network } = world
    const strikes: readonly (() => void | Promise<void>)[] = [
      () => faults.crash(),
      () => faults.crashInWrite(),
      () => faults.crashInChange(),
      () => faults.crashInSwap(),
      () => faults.vanish(),
      () => faults.stop(),
      () => faults.slowDisk(),
      () => faults.fullDisk(),
      () => faults.flipBit(),
      () => network.cut("broker", 0.5),
      () => network.clog("broker", 0.4, ISOLATION_MS_MAX),
      () => void (network.duplicates = 0.3),
      async () => {
        network.isolate("broker")
        await world.pass(random.int(ISOLATION_MS_MAX))
        network.heal()
      },
      () => random.pick(this.#workloads).strike?.(),
    ]
    await random.pick(strikes)()
    await faults.revive()
  }

  #outcome(findings: readonly string[]): Outcome {
    const [world, faults] = [this.#world, this.#faults]
    world.end()
    const all = [...world.faults, ...this.#workloads.flatMap((workload) => workload.findings), ...findings]
    return outcome(world, [...new Set(all)], this.#kind, {
      ...Object.assign({}, ...this.#workloads.map(({ figures }) => figures)),
      stops: faults.stops,
      "full disks": faults.fullDisks,
      "bit flips": faults.bitFlips,
    })
  }
}
