/**
 * Reads every partition of a topic from the first record to the end, as one isolation level sees it.
 */
import type { Host } from "@millrace/host"
import { KafkaClient } from "@millrace/client"

const POLL_MS = 500
const EMPTY_POLLS_MAX = 200
const decoder = new TextDecoder()

export async function readLog(
  host: Host,
  brokers: string,
  topic: string,
  partitions: number,
  isolation: "read_committed" | "read_uncommitted",
): Promise<string[][]> {
  const client = new KafkaClient({ host, brokers, clientId: "reader" })
  const consumer = client.consumer({ isolation, autoOffsetReset: "earliest" })
  const parts = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  consumer.assign(parts)
  const ends = await consumer.endOffsets(parts)
  for (const part of parts) consumer.seek(part, 0)
  const values: string[][] = parts.map(() => [])
  for (let empty = 0; ;) {
    let behind = false
    for (const end of ends) if ((consumer.position(end) ?? 0) < end.offset) behind = true
    if (!behind) break
    const fetched = await consumer.poll(POLL_MS)
    if (fetched.length === 0 && ++empty > EMPTY_POLLS_MAX)
      throw new Error(`reading ${topic} stalled below ${JSON.stringify(ends)}`)
    for (const part of fetched) {
      const cursor = part.cursor()
      while (cursor.next()) values[part.partition]!.push(decoder.decode(cursor.record.value()!))
    }
  }
  await consumer.close()
  await client.close()
  return values
}
