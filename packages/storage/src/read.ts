/**
 * Reading: which bytes of which segment answer a fetch, and which offset answers a time.
 *
 * A fetch reads once into one buffer: from the last index entry at or below the offset, as far as the limit allows.
 * Batches stay as they are. The answer starts with the whole batch that holds the offset and ends with a whole batch;
 * `endOffset` (high watermark, last stable offset or log end) always lies between batches.
 */
import { BATCH_HEADER_BYTES, RecordBatchView } from "@millrace/protocol/record/batch"
import { RecordReader } from "@millrace/protocol/record/record"
import { CorruptLogError } from "./faults.ts"
import type { LeaderEpochs } from "./leader-epochs.ts"
import { scanBatches } from "./scan.ts"
import type { Segment } from "./segment.ts"
import type { SegmentList } from "./segment-list.ts"

export interface ReadOptions {
  readonly maxBytes: number
  /** Answer the first batch even when it is larger than `maxBytes` (KIP-74). */
  readonly minOneBatch?: boolean
  /** Exclusive. */
  readonly endOffset: number
}

export interface LogRead {
  readonly bytes: Uint8Array
  /** Base offset of the first batch; the requested offset when there is none. */
  readonly startOffset: number
}

export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
  readonly leaderEpoch: number
}

/** Read beyond the index entry to reach the batch, in addition to the index interval. */
const SLACK_BYTES = 8 * 1024
const NOTHING = new Uint8Array(0)

export function readSegments(segments: SegmentList, fromOffset: number, options: ReadOptions): LogRead {
  const nothing = { bytes: NOTHING, startOffset: fromOffset }
  if (fromOffset >= options.endOffset) return nothing
  for (let index = Math.max(segments.indexFor(fromOffset), 0); index < segments.count; index++) {
    const segment = segments.at(index)!
    if (segment.baseOffset >= options.endOffset) return nothing
    const read = readSegment(segment, fromOffset, options)
    if (read !== undefined) return read
  }
  return nothing
}

/** undefined when no batch of the segment reaches the offset, which compaction can bring about. */
function readSegment(segment: Segment, fromOffset: number, options: ReadOptions): LogRead | undefined {
  const { file, offsetIndex, size } = segment
  let position = offsetIndex.positionFor(fromOffset)
  for (;;) {
    const wanted = Math.min(size - position, Math.max(options.maxBytes, 0) + SLACK_BYTES)
    if (wanted <= 0) return undefined
    const buffer = Buffer.allocUnsafeSlow(wanted)
    const length = file.read(buffer, 0, wanted, position)
    if (length < wanted) throw new CorruptLogError(segment.path, position + length, "the file is shorter than its log")
    let at = 0
    let batch: RecordBatchView | undefined
    while (at + BATCH_HEADER_BYTES <= length) {
      const candidate = headerAt(segment, buffer, at, position)
      if (candidate.lastOffset >= fromOffset) {
        batch = candidate
        break
      }
      at += candidate.sizeInBytes
    }
    if (batch === undefined) {
      position += at
      // Not even one header fitted: what is left is less than a batch.
      if (at === 0) return undefined
      continue
    }
    if (batch.baseOffset >= options.endOffset) return { bytes: NOTHING, startOffset: fromOffset }
    const startOffset = batch.baseOffset
    const first = batch.sizeInBytes
    if (first > options.maxBytes) {
      if (!options.minOneBatch) return { bytes: NOTHING, startOffset: fromOffset }
      const bytes = first <= length - at ? buffer.subarray(at, at + first) : readWhole(segment, position + at, first)
      check(segment, bytes, position + at)
      return { bytes, startOffset }
    }
    const end = trim(segment, buffer, position, at, Math.min(length, at + options.maxBytes), options.endOffset)
    const bytes = check(segment, buffer.subarray(at, end), position + at)
    return { bytes, startOffset }
  }
}

/** End of the last whole batch in `buffer[at, limit)` that is below `endOffset`. */
function trim(
  segment: Segment,
  buffer: Uint8Array,
  position: number,
  at: number,
  limit: number,
  endOffset: number,
): number {
  // The index knows batch starts near both bounds, so that only the batches behind the nearer one are walked.
  let known = segment.offsetIndex.batchStartBefore(position + limit)
  if (endOffset < segment.nextOffset) known = Math.min(known, segment.offsetIndex.positionFor(endOffset - 1))
  let end = Math.max(at, known - position)
  while (end + BATCH_HEADER_BYTES <= limit) {
    const batch = headerAt(segment, buffer, end, position)
    if (batch.sizeInBytes > limit - end || batch.baseOffset >= endOffset) break
    end += batch.sizeInBytes
  }
  return end
}

function headerAt(segment: Segment, buffer: Uint8Array, at: number, position: number): RecordBatchView {
  const batch = new RecordBatchView(buffer, at)
  if (batch.sizeInBytes < BATCH_HEADER_BYTES || batch.lastOffsetDelta < 0) {
    throw new CorruptLogError(segment.path, position + at, "there is no batch header")
  }
  return batch
}

function readWhole(segment: Segment, position: number, length: number): Uint8Array {
  if (length > segment.size - position) {
    throw new CorruptLogError(segment.path, position, `a batch of ${length} bytes has only ${segment.size - position}`)
  }
  const buffer = Buffer.allocUnsafeSlow(length)
  segment.file.read(buffer, 0, length, position)
  return buffer
}

/** Checks bytes that this process has neither written nor checked; gives what is good, throws when that is nothing. */
function check(segment: Segment, bytes: Uint8Array, position: number): Uint8Array {
  if (segment.isTrusted(position, position + bytes.length)) return bytes
  let at = 0
  while (at < bytes.length) {
    const batch = new RecordBatchView(bytes, at)
    if (bytes.length - at < BATCH_HEADER_BYTES || !batch.isValidCrc()) {
      if (at > 0) break
      throw new CorruptLogError(segment.path, position, "a batch does not match its checksum")
    }
    at += batch.sizeInBytes
  }
  segment.trust(position, position + at)
  return at === bytes.length ? bytes : bytes.subarray(0, at)
}

/** The first record at or after `timestamp` in [fromOffset, limit), in offset order. */
export function findTimestamp(
  segments: SegmentList,
  epochs: LeaderEpochs,
  timestamp: number,
  fromOffset: number,
  limit: number,
): TimestampOffset | undefined {
  for (let index = Math.max(segments.indexFor(fromOffset), 0); index < segments.count; index++) {
    const segment = segments.at(index)!
    if (segment.baseOffset >= limit) return undefined
    if (segment.maxTimestamp < timestamp) continue
    const found = findInSegment(segment, epochs, timestamp, fromOffset, limit)
    if (found !== undefined) return found
  }
  return undefined
}

function findInSegment(
  segment: Segment,
  epochs: LeaderEpochs,
  timestamp: number,
  fromOffset: number,
  limit: number,
): TimestampOffset | undefined {
  const start = segment.offsetIndex.positionFor(Math.max(segment.timeIndex.offsetFor(timestamp), fromOffset))
  let found: TimestampOffset | undefined
  const { damage } = scanBatches(segment.file, start, segment.size, true, (batch) => {
    if (batch.baseOffset >= limit) return false
    if (batch.maxTimestamp < timestamp || batch.lastOffset < fromOffset) return true
    const records = new RecordReader(batch)
    while (records.next()) {
      const { offset } = records
      if (records.timestamp < timestamp || offset < fromOffset) continue
      if (offset < limit) found = { timestamp: records.timestamp, offset, leaderEpoch: epochs.epochOf(offset) }
      return false
    }
    return true
  })
  if (damage !== undefined) throw new CorruptLogError(segment.path, damage.position, damage.reason)
  return found
}

/** The first record that has the greatest timestamp of the log. */
export function findMaxTimestamp(
  segments: SegmentList,
  epochs: LeaderEpochs,
  fromOffset: number,
  limit: number,
): TimestampOffset | undefined {
  let latest: Segment | undefined
  for (const segment of segments.all) {
    if (segment.maxTimestamp >= 0 && (latest === undefined || segment.maxTimestamp > latest.maxTimestamp)) {
      latest = segment
    }
  }
  if (latest === undefined) return undefined
  return findTimestamp(segments, epochs, latest.maxTimestamp, fromOffset, limit)
}
