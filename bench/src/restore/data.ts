/**
 * What suite "restore" keeps: a sum for each of n keys, there before anybody starts, and a feed that adds one to them, key
 * after key. Keys come in no order, as they do in a changelog.
 */
import type { KafkaClient, Producer } from "@millrace/client"
import { OffsetSpec, recordsOf } from "@millrace/client"
import { int64, string } from "@millrace/schema"

export const PARTITIONS = 4
const FEED_PER_SECOND = 1_000
const FEED_INTERVAL_MS = 20
const YIELD_EVERY = 50_000

/** One to one, and scattered. */
function keyOf(n: number): string {
  let x = Math.imul(n, 0x9e3779b1)
  x ^= x >>> 15
  x = Math.imul(x, 0x85ebca6b)
  return `key-${((x ^ (x >>> 13)) >>> 0).toString(16).padStart(8, "0")}`
}

const sumBefore = (n: number): number => 1 + (n % 1_000)

export const partitionsOf = (topic: string) =>
  Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))

/** Creates a topic and waits until its partitions answer. */
export async function createTopic(client: KafkaClient, name: string, policy: "compact" | "delete"): Promise<void> {
  const admin = client.admin()
  const configs = { "cleanup.policy": policy, "retention.ms": "-1" }
  await admin.createTopics([{ name, partitions: PARTITIONS, replicationFactor: 1, configs }])
  await admin.listOffsets(partitionsOf(name).map((one) => ({ ...one, timestamp: OffsetSpec.latest })))
}

/** Writes a changelog of n keys, as either application writes it. */
export async function fill(client: KafkaClient, topic: string, keys: number): Promise<void> {
  const producer = client.producer()
  const timestamp = Date.now()
  for (let n = 0; n < keys; n++) {
    const isTaken = producer.append(topic, -1, timestamp, string.encode(keyOf(n)), int64.encode(sumBefore(n)))
    if (!isTaken) await producer.waitForSpace()
    // The first record waits for the partitions, and answers are to be read in between.
    if (n % YIELD_EVERY === 0) await producer.flush()
  }
  await producer.flush()
  await producer.close()
}

/** Adds one to the next key, and the next, all the time while it is on. */
export class Feed {
  fed = 0
  readonly #topic: string
  readonly #keys: number
  readonly #producer: Producer
  readonly #timer: NodeJS.Timeout
  #last = performance.now()
  #isOn = false

  constructor(client: KafkaClient, topic: string, keys: number) {
    this.#topic = topic
    this.#keys = keys
    this.#producer = client.producer()
    this.#timer = setInterval(() => this.#feed(), FEED_INTERVAL_MS)
  }

  on(): void {
    this.#last = performance.now()
    this.#isOn = true
  }

  off(): void {
    this.#isOn = false
  }

  #feed(): void {
    const due = Math.floor(((performance.now() - this.#last) * FEED_PER_SECOND) / 1_000)
    this.#last += (due * 1_000) / FEED_PER_SECOND
    for (let count = 0; this.#isOn && count < due; count++) {
      const key = string.encode(keyOf(this.fed++ % this.#keys))
      this.#producer.append(this.#topic, -1, Date.now(), key, int64.encode(1))
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#producer.flush()
    await this.#producer.close()
  }
}

/** Why the output is not what `fed` records over what was there before must give; undefined: it is right. */
export async function faultOf(
  client: KafkaClient,
  output: string,
  keys: number,
  fed: number,
  sumOf: (n: number) => number = sumBefore,
): Promise<string | undefined> {
  const consumer = client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  const ends = await client
    .admin()
    .listOffsets(partitionsOf(output).map((one) => ({ ...one, timestamp: OffsetSpec.latest })))
  consumer.assign(partitionsOf(output))
  const sums = new Map<string, number>()
  try {
    const isBehind = () => ends.some((one) => (consumer.position(one) ?? 0) < one.offset)
    while (isBehind()) {
      for (const record of (await consumer.poll(500)).flatMap((fetched) => [...recordsOf(fetched)]))
        sums.set(string.decode(record.key!), int64.decode(record.value!))
    }
  } finally {
    await consumer.close()
  }
  for (let n = 0; n < Math.min(keys, fed); n++) {
    const expected = sumOf(n) + Math.floor((fed - n - 1) / keys) + 1
    const found = sums.get(keyOf(n))
    if (found !== expected) return `${keyOf(n)} has ${found} where ${expected} was to come`
  }
  return undefined
}
