/**
 * What the suites share: the brokers to run against, names that no other run uses, and reading to an end.
 */
import { nodeHost } from "@millrace/host/node"
import { type Consumer, type FetchedPartition, KafkaClient } from "../src/index.ts"

export const brokers = process.env["MILLRACE_TEST_BROKERS"] ?? ""
if (brokers === "") throw new Error("MILLRACE_TEST_BROKERS names no brokers: run this through `npm run test:kafka`")

const run = Math.random().toString(36).slice(2, 8)
let count = 0

/** A name for a topic, group or transactional id of this run alone. */
export const fresh = (what: string): string => `${what}-${run}-${count++}`

export const newClient = (options: { readonly requestTimeoutMs?: number } = {}): KafkaClient =>
  new KafkaClient({ host: nodeHost, brokers, clientId: "e2e", ...options })

export async function newTopic(
  client: KafkaClient,
  partitions = 1,
  configs: Record<string, string> = {},
): Promise<string> {
  const topic = fresh("topic")
  const admin = client.admin()
  await admin.createTopics([{ name: topic, partitions, replicationFactor: 1, configs }])
  await admin.close()
  return topic
}

export const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString())
export const bytes = (value: string): Uint8Array => Buffer.from(value)

export interface Seen {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

export function seen(fetched: readonly FetchedPartition[]): Seen[] {
  const records: Seen[] = []
  for (const part of fetched) {
    const { topic, partition } = part
    part.forEach((record) =>
      records.push({ topic, partition, offset: record.offset, key: text(record.key()), value: text(record.value()) }),
    )
  }
  return records
}

/** Polls until `done` or for `timeoutMs`; answers what was seen. */
export async function pollUntil(
  consumer: Consumer,
  done: (records: readonly Seen[]) => boolean,
  timeoutMs = 60_000,
): Promise<Seen[]> {
  const records: Seen[] = []
  const deadline = performance.now() + timeoutMs
  while (!done(records)) {
    if (performance.now() > deadline) throw new Error(`not done within ${timeoutMs} ms, saw ${records.length} records`)
    records.push(...seen(await consumer.poll(200)))
  }
  return records
}

/** Everything in a topic's partitions up to their present ends, as `isolation` sees it. */
export async function readAll(
  client: KafkaClient,
  topic: string,
  isolation: "read_committed" | "read_uncommitted" = "read_committed",
  options: { readonly maxPartitionFetchBytes?: number } = {},
): Promise<Seen[]> {
  const admin = client.admin()
  const [description] = await admin.describeTopics([topic])
  const partitions = description!.partitions.map(({ partition }) => ({ topic, partition }))
  await admin.close()
  // The last stable offset is no end: a cluster answers a commit before its markers are written.
  const whole = client.consumer({ isolation: "read_uncommitted" })
  const ends = await whole.endOffsets(partitions)
  await whole.close()
  const consumer = client.consumer({ isolation, autoOffsetReset: "earliest", ...options })
  try {
    consumer.assign(partitions)
    return await pollUntil(consumer, () => ends.every((end) => (consumer.position(end) ?? 0) >= end.offset))
  } finally {
    await consumer.close()
  }
}
