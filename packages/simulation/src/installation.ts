/**
 * What runs of the broker suite have in common: making topics, reading logs, the summary.
 */
import { KafkaClient } from "@millrace/client"
import type { NewTopic } from "@millrace/client/admin/topics"
import type { Outcome } from "./suite.ts"
import type { Seen } from "./workload/observer.ts"
import { readLog } from "./workload/read-log.ts"
import { BROKER_ADDRESS, type World } from "./world.ts"

const CREATE_MS = 60_000
const READ_MS = 180_000

export function createTopics(world: World, names: readonly string[], partitions: number): Promise<void> {
  return makeTopics(
    world,
    names.map((name) => ({ name, partitions, replicationFactor: 1 })),
  )
}

export async function makeTopics(world: World, topics: readonly NewTopic[]): Promise<void> {
  const process = world.machine("admin").start()
  let created = false
  world.spawn(process, async () => {
    const client = new KafkaClient({ host: process, brokers: BROKER_ADDRESS, clientId: "admin" })
    await client.admin().createTopics(topics)
    await client.close()
    created = true
  })
  await world.scheduler.run({ untilMs: CREATE_MS, until: () => created || world.faults.length > 0 })
  if (!created) world.faults.push("the topics were not created within a minute")
}

/** Every partition's records; undefined, and perhaps a fault of the world, when they could not be read. */
export async function read(
  world: World,
  topic: string,
  partitions: number,
  isolation: "read_committed" | "read_uncommitted",
  missingIsEmpty = false,
): Promise<Seen[][] | undefined> {
  const process = world.machine("reader").start()
  let log: Seen[][] | undefined
  world.spawn(process, async () => {
    if (missingIsEmpty) {
      const client = new KafkaClient({ host: process, brokers: BROKER_ADDRESS, clientId: "admin" })
      const exists = (await client.admin().listTopics()).includes(topic)
      await client.close()
      if (!exists) return void (log = Array.from({ length: partitions }, () => []))
    }
    log = await readLog(process, BROKER_ADDRESS, topic, partitions, isolation)
  })
  await world.scheduler.run({
    untilMs: world.scheduler.nowMs + READ_MS,
    until: () => log !== undefined || world.faults.length > 0,
  })
  process.kill()
  return log
}

export function outcome(
  world: World,
  findings: readonly string[],
  kind: string,
  figures: Readonly<Record<string, number>>,
): Outcome {
  const all = {
    ...figures,
    rolls: world.segmentRolls,
    "torn logs": world.census.tornLogs,
    "broker starts": world.brokerStarts,
    "broken starts": world.census.brokenStarts,
    events: world.scheduler.eventCount,
  }
  return { findings, trace: world.scheduler.trace, kind, figures: all }
}
