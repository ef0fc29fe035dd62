/**
 * A group member without transactions: it processes what it polls and commits its positions, itself or automatically.
 * Whatever happens to it, its group processes every record at least once and its commits never go back.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient } from "@millrace/client"
import type { SeededRandom } from "../random.ts"
import { type GroupProtocol, type GroupReader, groupReader } from "./consumer-member.ts"

export interface TrackerOptions {
  readonly name: string
  readonly brokers: string
  readonly group: string
  readonly protocol: GroupProtocol
  readonly topic: string
}

const POLL_MS = 1_000
const RETRY_MS = 100
const WORK_CHANCE = 0.2
const WORK_MS_MAX = 300
const decoder = new TextDecoder()

/** What the group did, over all its processes. */
export class TrackerLog {
  readonly processed = new Set<string>()
  /** By partition, up to where commits were answered. */
  readonly committed = new Map<number, number>()
  commits = 0
  failures = 0
}

export async function track(
  host: Host,
  random: SeededRandom,
  options: TrackerOptions,
  log: TrackerLog,
  stopped: () => boolean,
): Promise<void> {
  const clientOptions = { host, brokers: options.brokers, clientId: options.name }
  const client = new KafkaClient(clientOptions)
  const autoCommit = random.chance(0.5) && options.protocol === "classic"
  const consumer = groupReader(client, clientOptions, options.protocol, {
    groupId: options.group,
    isolation: "read_committed",
    autoOffsetReset: "earliest",
    sessionTimeoutMs: 3_000,
    rebalanceTimeoutMs: 6_000,
    maxPollRecords: random.pick([2, 15, 1_000]),
    autoCommit,
    autoCommitIntervalMs: 200,
  })
  consumer.subscribe([options.topic])
  while (!stopped()) {
    try {
      await turn(host, random, log, consumer, autoCommit)
    } catch {
      // Its generation is over, or the broker is: what it did not commit is processed again by whoever is next.
      log.failures++
      await sleep(host.clock, RETRY_MS)
    }
  }
  await consumer.close().catch(() => {})
  await client.close()
}

async function turn(
  host: Host,
  random: SeededRandom,
  log: TrackerLog,
  consumer: GroupReader,
  autoCommit: boolean,
): Promise<void> {
  const fetched = await consumer.poll(POLL_MS)
  if (fetched.length === 0) return
  if (random.chance(WORK_CHANCE)) await sleep(host.clock, random.int(WORK_MS_MAX))
  for (const part of fetched) {
    const cursor = part.cursor()
    while (cursor.next()) log.processed.add(decoder.decode(cursor.record.value()!))
  }
  if (autoCommit) return
  const ends = new Map(fetched.map((part) => [part.partition, part.nextOffset]))
  await consumer.commit([...ends].map(([partition, offset]) => ({ topic: fetched[0]!.topic, partition, offset })))
  log.commits++
  for (const [partition, end] of ends) log.committed.set(partition, Math.max(end, log.committed.get(partition) ?? 0))
}
