/**
 * The topic of suite "nexmark": filled once, read by all queries; and what a query wrote, read back.
 */
import { type KafkaClient, recordsOf } from "@millrace/client"
import { int64, json, string } from "@millrace/schema"
import { createTopic, PARTITIONS, partitionsOf } from "../streams/topics.ts"
import type { Check } from "./checks.ts"
import type { Event } from "./events.ts"
import { type Generator, partitionOf } from "./generator.ts"

const SILENCE_MS = 3_000
const YIELD_EVERY = 50_000

/** Creates the topic of the first n events, if it is not there yet, and answers its name. */
export async function fill(client: KafkaClient, { eventAt, timeOf }: Generator, n: number): Promise<string> {
  const topic = `nexmark-${n}`
  const admin = client.admin()
  if ((await admin.listTopics()).includes(topic)) return topic
  await createTopic(admin, topic)
  const producer = client.producer()
  const serde = json<Event>()
  for (let at = 0; at < n; at++) {
    const value = serde.encode(eventAt(at))
    if (!producer.append(topic, partitionOf(at, PARTITIONS), timeOf(at), null, value)) await producer.waitForSpace()
    // The first record waits for the partitions, and answers are to be read in between.
    if (at % YIELD_EVERY === 0) await producer.flush()
  }
  await producer.flush()
  await producer.close()
  return topic
}

const INT64_BYTES = 8

/** Keys are texts or 64-bit integers; those of 8 characters and more hold a space or are dates, and begin with a digit. */
export function keyText(key: Uint8Array | null): string {
  if (key === null) return ""
  return key.length === INT64_BYTES && key[0] === 0 ? String(int64.decode(key)) : string.decode(key)
}

/** Reads all that was committed to a topic. */
export async function readBack(client: KafkaClient, topic: string, check: Check<any>): Promise<void> {
  const consumer = client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  consumer.assign(partitionsOf(topic))
  const value = json()
  for (let readAt = performance.now(); performance.now() - readAt < SILENCE_MS;) {
    for (const record of (await consumer.poll(500)).flatMap((fetched) => [...recordsOf(fetched)])) {
      readAt = performance.now()
      check.row(keyText(record.key), value.decode(record.value!))
    }
  }
  await consumer.close()
}
