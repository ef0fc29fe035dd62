/**
 * Reads a whole topic, from its first record to its end.
 */
import type { KafkaClient } from "@millrace/client"

const decoder = new TextDecoder()
const POLL_MS = 500
const STALLED_AFTER_MS = 60_000

export async function readAll(
  client: KafkaClient,
  topic: string,
  partitions: number,
  isolation: "read_committed" | "read_uncommitted",
): Promise<string[]> {
  const parts = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const consumer = client.consumer({ isolation, autoOffsetReset: "earliest" })
  try {
    const ends = await consumer.endOffsets(parts)
    consumer.assign(parts)
    for (const part of parts) consumer.seek(part, 0)
    const values: string[] = []
    let progressAt = performance.now()
    const done = () => {
      for (const end of ends) if ((consumer.position(end) ?? 0) < end.offset) return false
      return true
    }
    while (!done()) {
      const fetched = await consumer.poll(POLL_MS)
      if (fetched.length > 0) progressAt = performance.now()
      if (performance.now() - progressAt > STALLED_AFTER_MS) {
        throw new Error(`reading ${topic} stalled: ${JSON.stringify(ends)}`)
      }
      for (const part of fetched) {
        const cursor = part.cursor()
        while (cursor.next()) values.push(decoder.decode(cursor.record.value()!))
      }
    }
    return values
  } finally {
    await consumer.close()
  }
}
