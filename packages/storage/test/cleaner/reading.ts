/** Reads a log as a read_committed consumer does, and builds the table that its records make. */
import { batches } from "@millrace/protocol/record/batch"
import { endTxnMarkerOf } from "@millrace/protocol/record/control"
import { RecordReader } from "@millrace/protocol/record/record"
import type { Log } from "../../src/log.ts"

export interface ReadRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())

/** Committed records from `from` on, fetched in small pieces; checks that offsets ascend. */
export function readCommitted(log: Log, from: number): ReadRecord[] {
  const end = log.lastStableOffset(log.logEndOffset)
  const found: ReadRecord[] = []
  let next = from
  while (next < end) {
    const read = log.read(next, { maxBytes: 600, minOneBatch: true, endOffset: end })
    if (read === "OFFSET_OUT_OF_RANGE") throw new Error(`${next} is out of range`)
    if (read.bytes.length === 0) return found
    const last = [...batches(read.bytes)].at(-1)!
    const aborted = log
      .abortedTransactions(read.startOffset, last.nextOffset)
      .sort((a, b) => a.firstOffset - b.firstOffset)
    const aborting = new Set<number>()
    for (const batch of batches(read.bytes)) {
      if (!batch.isValidCrc()) throw new Error(`the batch at ${batch.baseOffset} does not match its checksum`)
      if (batch.lastOffset < next) throw new Error(`offset ${batch.lastOffset} comes after ${next - 1}`)
      while (aborted.length > 0 && aborted[0]!.firstOffset <= batch.lastOffset)
        aborting.add(aborted.shift()!.producerId)
      next = batch.nextOffset
      if (batch.isControl) {
        if (endTxnMarkerOf(batch)?.committed === false) aborting.delete(batch.producerId)
        continue
      }
      if (batch.isTransactional && aborting.has(batch.producerId)) continue
      const records = new RecordReader(batch)
      while (records.next()) {
        const { offset, timestamp } = records
        if (offset >= from)
          found.push({ offset, key: textOf(records.key()), value: textOf(records.value()), timestamp })
      }
    }
  }
  return found
}

/** The last value of each key; null: deleted. */
export function tableOf(records: readonly Pick<ReadRecord, "key" | "value">[]): Map<string, string | null> {
  const table = new Map<string, string | null>()
  for (const { key, value } of records) table.set(key!, value)
  return table
}

/** The same without the deleted keys: what a reader from the start of the log ends up with. */
export function liveOf(table: ReadonlyMap<string, string | null>): Record<string, string> {
  return Object.fromEntries([...table].filter((entry): entry is [string, string] => entry[1] !== null).sort())
}
