/**
 * Reads every partition of a topic from the first record to the end, as one isolation level sees it.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient } from "@millrace/client"
import type { RecordReader } from "@millrace/protocol/record/record"
import type { Seen } from "./observer.ts"

const POLL_MS = 500
const EMPTY_POLLS_MAX = 60
/** How long open transactions may hold the last stable offset back after everybody is done. */
const STABLE_MS = 60_000
const STABLE_POLL_MS = 100
const decoder = new TextDecoder()

export function readLog(
  host: Host,
  brokers: string,
  topic: string,
  partitions: number,
  isolation: "read_committed" | "read_uncommitted",
): Promise<Seen[][]> {
  const seen = (record: RecordReader) => ({ offset: record.offset, value: decoder.decode(record.value()!) })
  return readRecords(host, brokers, topic, partitions, isolation, seen)
}

/**
 * The same with anything of the records; `take` must copy what it keeps. Who `chases` reads on until nothing is left, also
 * of what came meanwhile: in a compacted topic that may stand for what it did not meet.
 */
export async function readRecords<T>(
  host: Host,
  brokers: string,
  topic: string,
  partitions: number,
  isolation: "read_committed" | "read_uncommitted",
  take: (record: RecordReader) => T,
  chases = false,
): Promise<T[][]> {
  const client = new KafkaClient({ host, brokers, clientId: "reader" })
  const consumer = client.consumer({ isolation, autoOffsetReset: "earliest" })
  const parts = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  consumer.assign(parts)
  let ends = await consumer.endOffsets(parts, { isolation: "read_uncommitted" })
  for (const deadline = host.clock.monotonic() + STABLE_MS; isolation === "read_committed";) {
    const stable = await consumer.endOffsets(parts)
    const held = stable.filter(({ partition, offset }) => offset < ends[partition]!.offset)
    if (held.length === 0) break
    if (host.clock.monotonic() > deadline) {
      const first = held[0]!
      throw new Error(
        `a transaction hangs in ${topic}-${first.partition}: its last stable offset stays at ${first.offset}, ` +
          `its end is ${ends[first.partition]!.offset}`,
      )
    }
    await sleep(host.clock, STABLE_POLL_MS)
  }
  for (const part of parts) consumer.seek(part, 0)
  const values: T[][] = parts.map(() => [])
  for (let empty = 0; ;) {
    const isBehind = () => ends.some((end) => (consumer.position(end) ?? 0) < end.offset)
    if (!isBehind()) {
      if (chases) ends = await consumer.endOffsets(parts)
      if (!isBehind()) break
    }
    const fetched = await consumer.poll(POLL_MS)
    if (fetched.length === 0 && ++empty > EMPTY_POLLS_MAX)
      throw new Error(`reading ${topic} stalled below ${JSON.stringify(ends)}`)
    for (const part of fetched) {
      const cursor = part.cursor()
      while (cursor.next()) values[part.partition]!.push(take(cursor.record))
    }
  }
  await consumer.close()
  await client.close()
  return values
}
