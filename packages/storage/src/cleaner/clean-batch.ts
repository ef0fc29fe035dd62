/**
 * What cleaning leaves of one batch: a pure decision about its records, and the bytes that follow from it.
 *
 *   a record stays     when no later one has its key, or it lies behind what the map covers
 *   a tombstone stays  until the batch's delete horizon: the first pass sets it, delete.retention.ms ahead (KIP-534)
 *   a marker stays     until nothing of its transaction is left and its own horizon, set then, has passed
 *   aborted data goes, and so do records without a key
 *
 * Two batches stay even when they are empty: the last one of each known producer, which carries its sequence and epoch,
 * and the one that ends where the round ends. A marker that is the last trace of its producer keeps its record too:
 * without it a replay would not learn the producer's epoch.
 *
 * A batch keeps its offsets, sequence range, codec and producer whatever is taken out of it. Records are copied as they
 * lie, since their deltas refer to base offset and base timestamp; only a new horizon, which takes the base timestamp's
 * place, rewrites time deltas. A batch that loses nothing is not touched at all.
 */
import {
  ATTRIBUTE_COMPRESSION,
  ATTRIBUTE_DELETE_HORIZON,
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  LOG_OVERHEAD_BYTES,
  MAX_TIMESTAMP_AT,
  NO_TIMESTAMP,
  RECORD_COUNT_AT,
  RecordBatchView,
} from "@millrace/protocol/record/batch"
import { compress } from "@millrace/protocol/record/compression"
import { putInt32, putInt64 } from "@millrace/protocol/record/integers"
import { RecordReader } from "@millrace/protocol/record/record"
import { putVarint, putVarlong, sizeOfVarlong } from "@millrace/protocol/record/varint"
import type { IndexedAbort } from "../transaction-index.ts"
import type { CleanedTransactions } from "./cleaned-transactions.ts"
import type { OffsetMap } from "./offset-map.ts"

/** The last that the log knows of a producer. */
export interface LastOfProducer {
  /** Last offset of its last data batch; -1 when its epoch has seen only a marker. */
  readonly lastDataOffset: number
  readonly epoch: number
}

export interface CleaningRules {
  readonly map: OffsetMap
  readonly transactions: CleanedTransactions
  readonly producers: ReadonlyMap<number, LastOfProducer>
  /** Exclusive end of what may be cleaned; the batch that ends here stays. */
  readonly upperBound: number
  /** The time of this pass. */
  readonly now: number
  readonly deleteRetentionMs: number
  readonly decompressedBytesMax: number
}

export type CleanedBatch =
  | { readonly kind: "same"; readonly abort?: IndexedAbort | undefined }
  | { readonly kind: "gone" }
  | { readonly kind: "changed"; readonly bytes: Uint8Array; readonly abort?: IndexedAbort | undefined }

const SAME: CleanedBatch = { kind: "same" }
const GONE: CleanedBatch = { kind: "gone" }
/** Most bytes that a new time delta and record length add to a record. */
const REBASED_BYTES_MAX = 15

export function cleanBatch(batch: RecordBatchView, rules: CleaningRules): CleanedBatch {
  const isLast = isLastOfProducer(batch, rules)
  const mustStay = isLast || batch.nextOffset === rules.upperBound
  if (batch.isControl) return cleanControl(batch, rules, isLast, mustStay)
  if (rules.transactions.onData(batch)) return mustStay ? emptied(batch) : GONE
  return cleanData(batch, rules, mustStay)
}

function isLastOfProducer(batch: RecordBatchView, { producers }: CleaningRules): boolean {
  const last = batch.hasProducerId ? producers.get(batch.producerId) : undefined
  if (last === undefined) return false
  if (last.lastDataOffset >= 0) return batch.lastOffset === last.lastDataOffset
  return batch.isControl && batch.producerEpoch === last.epoch
}

function cleanControl(batch: RecordBatchView, rules: CleaningRules, isLast: boolean, mustStay: boolean): CleanedBatch {
  const { removable, abort } = rules.transactions.onControl(batch)
  if (!removable) return abort === undefined ? SAME : { kind: "same", abort }
  if (batch.recordCount === 0) return mustStay ? SAME : GONE
  const horizon = batch.deleteHorizon
  if (horizon === undefined) {
    const records = new RecordReader(batch)
    return { kind: "changed", bytes: rebased(batch, records, () => true, rules.now + rules.deleteRetentionMs) }
  }
  if (horizon > rules.now || isLast) return SAME
  return mustStay ? emptied(batch) : GONE
}

function cleanData(batch: RecordBatchView, rules: CleaningRules, mustStay: boolean): CleanedBatch {
  const { map, now, decompressedBytesMax } = rules
  if (batch.baseOffset > map.latestOffset) return SAME
  const horizon = batch.deleteHorizon
  const keepsTombstones = horizon === undefined || now < horizon
  const reader = () => new RecordReader(batch, { decompressedBytesMax })
  const stays = (record: RecordReader): boolean => {
    if (record.offset > map.latestOffset) return true
    if (record.keySize < 0 || (record.valueSize < 0 && !keepsTombstones)) return false
    return record.offset >= map.get(record.bytes, record.keyAt, record.keySize)
  }
  const records = reader()
  /** Runs of records that stay, as start and end. */
  const runs: number[] = []
  let kept = 0
  let tombstones = 0
  let maxTimestamp = NO_TIMESTAMP
  while (records.next()) {
    if (!stays(records)) continue
    kept++
    if (records.valueSize < 0) tombstones++
    if (records.timestamp > maxTimestamp) maxTimestamp = records.timestamp
    if (runs.at(-1) === records.start) runs[runs.length - 1] = records.end
    else runs.push(records.start, records.end)
  }
  if (kept === 0) {
    if (!mustStay) return GONE
    return batch.recordCount === 0 ? SAME : emptied(batch)
  }
  // The time of a tombstone runs from the pass that takes it into account, not from one that merely moves it.
  const needsHorizon = tombstones > 0 && horizon === undefined && batch.lastOffset <= map.latestOffset
  if (needsHorizon) {
    return { kind: "changed", bytes: rebased(batch, reader(), stays, now + rules.deleteRetentionMs) }
  }
  if (kept === batch.recordCount) return SAME
  const content = Buffer.allocUnsafe(runs.reduce((size, at, index) => size + (index % 2 === 0 ? -at : at), 0))
  let at = 0
  for (let run = 0; run < runs.length; run += 2) {
    const part = records.bytes.subarray(runs[run]!, runs[run + 1]!)
    content.set(part, at)
    at += part.length
  }
  return { kind: "changed", bytes: framed(batch, content, { count: kept, maxTimestamp }) }
}

/** The batch without its records: what is left to say is whose it was and how far it reached. */
function emptied(batch: RecordBatchView): CleanedBatch {
  if (batch.recordCount === 0) return SAME
  const bytes = Buffer.from(batch.bytes.subarray(batch.offset, batch.offset + BATCH_HEADER_BYTES))
  putInt32(bytes, BATCH_LENGTH_AT, BATCH_HEADER_BYTES - LOG_OVERHEAD_BYTES)
  bytes[ATTRIBUTES_AT + 1]! &= ~(ATTRIBUTE_COMPRESSION | ATTRIBUTE_DELETE_HORIZON)
  putInt64(bytes, BASE_TIMESTAMP_AT, batch.maxTimestamp)
  putInt32(bytes, RECORD_COUNT_AT, 0)
  new RecordBatchView(bytes).updateCrc()
  return { kind: "changed", bytes }
}

/** The records that stay, with the horizon as base timestamp and their times as before. */
function rebased(
  batch: RecordBatchView,
  records: RecordReader,
  stays: (record: RecordReader) => boolean,
  horizon: number,
): Uint8Array {
  const content = Buffer.allocUnsafe(records.bytes.length + batch.recordCount * REBASED_BYTES_MAX)
  let at = 0
  let count = 0
  let maxTimestamp = NO_TIMESTAMP
  while (records.next()) {
    if (!stays(records)) continue
    const { bytes, end, offsetDeltaAt, timestamp } = records
    const delta = timestamp - horizon
    at = putVarint(content, at, 1 + sizeOfVarlong(delta) + end - offsetDeltaAt)
    content[at++] = 0
    at = putVarlong(content, at, delta)
    content.set(bytes.subarray(offsetDeltaAt, end), at)
    at += end - offsetDeltaAt
    count++
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
  }
  return framed(batch, content.subarray(0, at), { count, maxTimestamp, horizon })
}

/** The batch's own header around other records. */
function framed(
  batch: RecordBatchView,
  content: Uint8Array,
  header: { readonly count: number; readonly maxTimestamp: number; readonly horizon?: number },
): Uint8Array {
  const stored = compress(batch.compression, content)
  const bytes = Buffer.allocUnsafe(BATCH_HEADER_BYTES + stored.length)
  bytes.set(batch.bytes.subarray(batch.offset, batch.offset + BATCH_HEADER_BYTES))
  bytes.set(stored, BATCH_HEADER_BYTES)
  putInt32(bytes, BATCH_LENGTH_AT, bytes.length - LOG_OVERHEAD_BYTES)
  if (header.horizon !== undefined) {
    bytes[ATTRIBUTES_AT + 1]! |= ATTRIBUTE_DELETE_HORIZON
    putInt64(bytes, BASE_TIMESTAMP_AT, header.horizon)
  }
  // Under LogAppendTime it is every record's time.
  if (batch.timestampType === "CreateTime") putInt64(bytes, MAX_TIMESTAMP_AT, header.maxTimestamp)
  putInt32(bytes, RECORD_COUNT_AT, header.count)
  new RecordBatchView(bytes).updateCrc()
  return bytes
}
