/**
 * Suite "broker": idempotent writers and transactional copiers against a broker that is killed inside writes, loses
 * power, and is cut off. First safety under faults, then heal and liveness, then every checker over the whole log.
 *
 * A seed decides what kind of world it is: crashes of processes only (the page cache survives; the log flushes when it
 * likes), power cuts with fsync before every answer (nothing acknowledged may be lost), or power cuts without (what is
 * left must be a clean prefix).
 */
import { KafkaClient } from "@millrace/client"
import { cleanPrefix } from "./checker/clean-prefix.ts"
import { exactCopy } from "./checker/exact-copy.ts"
import { noDuplicate } from "./checker/no-duplicate.ts"
import { noLostAcknowledgement } from "./checker/no-lost-acknowledgement.ts"
import { sentOrder } from "./checker/sent-order.ts"
import type { SimulatedProcess } from "./machine.ts"
import type { SeededRandom } from "./random.ts"
import type { Outcome, Suite, SuiteOptions } from "./suite.ts"
import { copy, CopierLog } from "./workload/copier.ts"
import { readLog } from "./workload/read-log.ts"
import { Writer } from "./workload/writer.ts"
import { BROKER_ADDRESS, World } from "./world.ts"

const SOURCE = "source"
const TARGET = "target"
const PARTITIONS = 2
const RECORDS_PER_WRITER = 120
/** Virtual time of faults, and how long everything may take after they stopped. */
const FAULTS_MS = 15_000
const HEAL_MS = 240_000

type Kind = "kill" | "power-fsync" | "power-lazy"

export const suite: Suite = async (seed, options) => {
  const probe = new World(seed)
  const kind: Kind = probe.random.fork("kind").pick(["kill", "kill", "power-fsync", "power-lazy"] as const)
  return kind === "power-lazy" ? powerWithoutFsync(seed, options) : crashesAndCopies(seed, options, kind)
}

async function crashesAndCopies(seed: number, options: SuiteOptions, kind: "kill" | "power-fsync"): Promise<Outcome> {
  const world = new World(seed, kind === "power-fsync" ? { "log.flush.interval.messages": "1" } : {})
  world.scheduler.onEvent = options.onEvent
  const random = world.random.fork("suite")
  world.startBroker()
  await createTopics(world)

  const writers = Array.from({ length: 2 }, () => new Writer(PARTITIONS))
  for (const [index, writer] of writers.entries()) {
    const process = world.machine(`writer${index}`).start()
    world.spawn(process, () =>
      writer.run(process, random.fork(`writer${index}`), {
        name: `w${index}`,
        brokers: BROKER_ADDRESS,
        topic: SOURCE,
        partitions: PARTITIONS,
        count: RECORDS_PER_WRITER,
      }),
    )
  }
  const log = new CopierLog()
  let stopped = false
  const copiers: SimulatedProcess[] = []
  const startCopier = (index: number) => {
    const process = world.machine(`copier${index}`).start()
    copiers[index] = process
    world.spawn(process, () =>
      copy(
        process,
        random.fork(`copier${index}`),
        {
          name: `copier${index}`,
          brokers: BROKER_ADDRESS,
          group: "copiers",
          source: SOURCE,
          target: TARGET,
          targetPartitions: PARTITIONS,
        },
        log,
        () => stopped,
      ),
    )
  }
  for (let index = 0; index < 2; index++) startCopier(index)

  const end = world.scheduler.nowMs + FAULTS_MS
  while (world.scheduler.nowMs < end && world.faults.length === 0) {
    await world.scheduler.run({ untilMs: world.scheduler.nowMs + random.int(1_500) })
    await strike(world, random, kind)
    if (random.chance(0.15)) {
      const index = random.int(2)
      copiers[index]!.kill()
      startCopier(index)
    }
  }
  world.network.heal()
  if (!world.brokerReady && !(world.broker?.alive ?? false)) world.startBroker()

  const copied = () => writers.every((writer) => writer.done) && count(writers) === countCommitted()
  const countCommitted = () => log.committed.size
  await world.scheduler.run({
    untilMs: world.scheduler.nowMs + HEAL_MS,
    until: () => world.faults.length > 0 || copied(),
  })
  // A commit whose answer was lost is committed all the same: give the group time to reach the end.
  await world.scheduler.run({ untilMs: world.scheduler.nowMs + 30_000, until: () => world.faults.length > 0 })
  stopped = true

  const findings = [...world.faults]
  if (findings.length === 0 && !writers.every((writer) => writer.done))
    findings.push("a writer was not done long after the faults had stopped")
  for (const writer of writers) findings.push(...writer.failures.map((failure) => `a send failed: ${failure}`))
  if (findings.length > 0) return outcome(world, findings, kind)

  const [source, target] = [await read(world, SOURCE, "read_uncommitted"), await read(world, TARGET, "read_committed")]
  if (source === undefined || target === undefined)
    return outcome(world, [...world.faults, "the log could not be read"], kind)
  const acknowledged = new Set(writers.flatMap((writer) => [...writer.acknowledged]))
  findings.push(
    ...noLostAcknowledgement(acknowledged, source.flat()),
    ...noDuplicate(source.flat()),
    ...exactCopy(source.flat(), target.flat(), log.aborted),
    ...source.flatMap((values, partition) => sentOrder(`${SOURCE}-${partition}`, values)),
    ...target.flatMap((values, partition) => sentOrder(`${TARGET}-${partition}`, values)),
  )
  return outcome(
    world,
    findings,
    `${kind}, ${source.flat().length} records, ${log.commits} commits, ${log.aborts} aborts, ${log.failures.length} errors`,
  )
}

async function powerWithoutFsync(seed: number, options: SuiteOptions): Promise<Outcome> {
  const world = new World(seed)
  world.scheduler.onEvent = options.onEvent
  const random = world.random.fork("suite")
  world.startBroker()
  await createTopics(world)
  const writer = new Writer(PARTITIONS)
  const process = world.machine("writer").start()
  world.spawn(process, () =>
    writer.run(process, random.fork("writer"), {
      name: "w",
      brokers: BROKER_ADDRESS,
      topic: SOURCE,
      partitions: PARTITIONS,
      count: RECORDS_PER_WRITER,
    }),
  )
  await world.scheduler.run({ untilMs: world.scheduler.nowMs + 200 + random.int(4_000) })
  process.kill()
  if (random.chance(0.5)) world.broker!.power()
  else world.broker!.disk.dieInWrite(1 + random.int(20))
  await world.scheduler.run({ untilMs: world.scheduler.nowMs + 100 })
  world.broker!.power()
  world.startBroker()
  await world.scheduler.run({
    untilMs: world.scheduler.nowMs + HEAL_MS,
    until: () => world.brokerReady || world.faults.length > 0,
  })
  const findings = [...world.faults]
  const source = findings.length > 0 ? undefined : await read(world, SOURCE, "read_uncommitted", true)
  if (source === undefined) findings.push("the log could not be read", ...world.faults)
  else
    findings.push(
      ...source.flatMap((values, partition) => cleanPrefix(`${SOURCE}-${partition}`, writer.sent[partition]!, values)),
    )
  return outcome(
    world,
    findings,
    `power-lazy, ${source?.flat().length ?? 0} of ${writer.acknowledged.size} acknowledged left`,
  )
}

/** One fault, drawn from the seed. */
async function strike(world: World, random: SeededRandom, kind: "kill" | "power-fsync"): Promise<void> {
  const broker = world.broker!
  const crash = () => (kind === "kill" ? broker.kill() : broker.power())
  const choice = random.float()
  if (choice < 0.25) crash()
  else if (choice < 0.55) {
    broker.disk.dieInWrite(1 + random.int(30))
    await world.scheduler.run({ untilMs: world.scheduler.nowMs + random.int(1_000), until: () => !broker.alive })
    crash()
  } else if (choice < 0.7) world.network.cut("broker", 0.5)
  else if (choice < 0.8) {
    const victim = random.pick(["broker", "copier0", "copier1", "writer0"])
    world.network.isolate(victim)
    await world.scheduler.run({ untilMs: world.scheduler.nowMs + random.int(9_000) })
    world.network.heal()
  }
  if (!broker.alive) {
    if (kind === "power-fsync") broker.power()
    await world.scheduler.run({ untilMs: world.scheduler.nowMs + random.int(500) })
    world.startBroker()
  }
}

async function createTopics(world: World): Promise<void> {
  const process = world.machine("admin").start()
  let created = false
  world.spawn(process, async () => {
    const client = new KafkaClient({ host: process, brokers: BROKER_ADDRESS, clientId: "admin" })
    await client
      .admin()
      .createTopics([SOURCE, TARGET].map((name) => ({ name, partitions: PARTITIONS, replicationFactor: 1 })))
    await client.close()
    created = true
  })
  await world.scheduler.run({ untilMs: 60_000, until: () => created || world.faults.length > 0 })
  if (!created) world.faults.push("the topics were not created within a minute")
}

async function read(
  world: World,
  topic: string,
  isolation: "read_committed" | "read_uncommitted",
  missingIsEmpty = false,
): Promise<string[][] | undefined> {
  const process = world.machine("reader").start()
  let values: string[][] | undefined
  world.spawn(process, async () => {
    if (missingIsEmpty) {
      const client = new KafkaClient({ host: process, brokers: BROKER_ADDRESS, clientId: "admin" })
      const exists = (await client.admin().listTopics()).includes(topic)
      await client.close()
      if (!exists) return void (values = Array.from({ length: PARTITIONS }, () => []))
    }
    values = await readLog(process, BROKER_ADDRESS, topic, PARTITIONS, isolation)
  })
  await world.scheduler.run({
    untilMs: world.scheduler.nowMs + HEAL_MS,
    until: () => values !== undefined || world.faults.length > 0,
  })
  process.kill()
  return values
}

function count(writers: readonly Writer[]): number {
  return writers.reduce((total, writer) => total + writer.acknowledged.size, 0)
}

function outcome(world: World, findings: readonly string[], summary: string): Outcome {
  return {
    findings,
    trace: world.scheduler.trace,
    summary: `${summary}, ${world.brokerStarts} broker starts, ${world.scheduler.eventCount} events`,
  }
}
