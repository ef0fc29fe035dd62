/**
 * A power cut without fsync before answers: records may be lost, but what is left of each partition is a clean prefix of
 * what was sent, and the log can be read and written again. Twice, so that a recovered log is cut as well.
 */
import { cleanPrefix } from "./checker/clean-prefix.ts"
import { noDuplicate } from "./checker/no-duplicate.ts"
import { createTopics, outcome, read } from "./installation.ts"
import type { SeededRandom } from "./random.ts"
import type { Outcome, SuiteOptions } from "./suite.ts"
import { Writer } from "./workload/writer.ts"
import { BROKER_ADDRESS, World } from "./world.ts"

const TOPIC = "source"
const PARTITIONS = 2
const RECORDS = 100
const CUTS = 2
const WRITING_MS_MIN = 200
const WRITING_MS_MAX = 4_000
const HEAL_MS = 120_000

export async function lazyRun(seed: number, options: SuiteOptions): Promise<Outcome> {
  const world = new World(seed)
  world.scheduler.onEvent = options.onEvent
  const random = world.random.fork("suite")
  world.startBroker()
  await createTopics(world, [TOPIC], PARTITIONS)
  /** What each partition may hold, in order: what was left of it, then what was sent since. */
  let sent: string[][] = Array.from({ length: PARTITIONS }, () => [])
  const findings: string[] = []
  let [acknowledged, left] = [0, 0]
  for (let cut = 0; cut <= CUTS && findings.length === 0; cut++) {
    const writer = new Writer(PARTITIONS)
    const last = cut === CUTS
    await write(world, random, writer, cut, last)
    sent = sent.map((values, partition) => [...values, ...writer.sent[partition]!])
    if (!last) await cutPower(world, random)
    const log = world.faults.length > 0 ? undefined : await read(world, TOPIC, PARTITIONS, "read_uncommitted", true)
    if (log === undefined) {
      findings.push(...world.faults, "the log could not be read")
      break
    }
    const values = log.map((records) => records.map(({ value }) => value))
    findings.push(
      ...world.faults,
      ...values.flatMap((found, partition) => cleanPrefix(`${TOPIC}-${partition}`, sent[partition]!, found)),
      ...noDuplicate(values.flat()),
    )
    if (last && !writer.done) findings.push(`the writer after the power cuts is stuck: ${writer.unanswered[0]}`)
    if (last && values.flat().length < sent.flat().length) findings.push("records are missing though no power was cut")
    acknowledged += writer.acknowledged.size
    left = values.flat().length
    sent = values
  }
  world.end()
  return outcome(world, findings, "power-lazy", { acknowledged, left })
}

async function write(
  world: World,
  random: SeededRandom,
  writer: Writer,
  cut: number,
  toTheEnd: boolean,
): Promise<void> {
  const process = world.machine("writer").start()
  const name = `w${cut}`
  world.spawn(process, () =>
    writer.run(process, random.fork(name), {
      name,
      brokers: BROKER_ADDRESS,
      topic: TOPIC,
      partitions: PARTITIONS,
      count: toTheEnd ? 20 : RECORDS,
      durationMs: WRITING_MS_MAX,
      silenceMs: 0,
    }),
  )
  const forMs = toTheEnd ? HEAL_MS : WRITING_MS_MIN + random.int(WRITING_MS_MAX)
  await world.scheduler.run({
    untilMs: world.scheduler.nowMs + forMs,
    until: () => world.faults.length > 0 || (toTheEnd && writer.done),
  })
  process.kill()
}

async function cutPower(world: World, random: SeededRandom): Promise<void> {
  const broker = world.broker!
  if (random.chance(0.5)) broker.disk.dieInChange(1 + random.int(20))
  await world.scheduler.run({ untilMs: world.scheduler.nowMs + 100 })
  broker.power()
  if (random.chance(0.3)) {
    // Power fails again while the log is recovered.
    world.startBroker(1 + random.int(20))
    await world.scheduler.run({ untilMs: world.scheduler.nowMs + random.int(20) })
    world.broker!.power()
  }
  world.startBroker()
  await world.scheduler.run({
    untilMs: world.scheduler.nowMs + HEAL_MS,
    until: () => world.brokerReady || world.faults.length > 0,
  })
}
