/**
 * Reading: which bytes of which segment answer a fetch, and which offset answers a time.
 *
 * A fetch reads once into one buffer. Where it starts is known when the last one ended there; otherwise the index and
 * some headers tell. Batches stay as they are. The answer starts with the whole batch that holds the offset and ends with a whole batch;
 * `endOffset` (high watermark, last stable offset or log end) always lies between batches.
 *
 * Buffers: what is answered lies in memory that the reader gives (`take`) and owns, and may take twice for it; nothing here keeps
 * any of it. Headers that only tell where to read are read into memory of this file's own.
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
  /** Where memory to read into comes from. Default: it is new each time. */
  readonly take?: (bytes: number) => Buffer
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

type Take = NonNullable<ReadOptions["take"]>

/** Read at a time to find a batch by its header: what lies between two index entries, usually. */
const LOCATE_BYTES = 4096 + BATCH_HEADER_BYTES
/** Where that is read to. Nothing of it is read once `locate` has answered, and nothing else runs until then. */
const located = Buffer.allocUnsafeSlow(LOCATE_BYTES)
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
  const nothing = { bytes: NOTHING, startOffset: fromOffset }
  const { take = Buffer.allocUnsafeSlow } = options
  const position = segment.readPositions.get(fromOffset) ?? locate(segment, fromOffset)
  const available = segment.size - position
  if (available <= 0) return undefined
  if (available < BATCH_HEADER_BYTES) throw new CorruptLogError(segment.path, position, "it ends inside a batch header")
  const maxBytes = Math.max(options.maxBytes, 0)
  const wanted = Math.min(available, Math.max(maxBytes, BATCH_HEADER_BYTES))
  let bytes: Uint8Array = readWhole(segment, position, wanted, take)
  const first = headerAt(segment, bytes, 0, position)
  const startOffset = first.baseOffset
  const size = first.sizeInBytes
  if (startOffset >= options.endOffset) return nothing
  if (size > maxBytes) {
    if (!options.minOneBatch) return nothing
    if (size > available) throw new CorruptLogError(segment.path, position, `a batch of ${size} bytes has ${available}`)
    if (size > bytes.length) bytes = readWhole(segment, position, size, take)
    bytes = check(segment, bytes.subarray(0, size), position)
    segment.readPositions.set(first.nextOffset, position + size)
    return { bytes, startOffset }
  }
  const end = trim(segment, bytes, position, options.endOffset)
  return { bytes: check(segment, bytes.subarray(0, end), position), startOffset }
}

/** Position of the batch that holds `fromOffset` or follows it; the segment's end when there is none. */
function locate(segment: Segment, fromOffset: number): number {
  let position = segment.offsetIndex.positionFor(fromOffset)
  while (position < segment.size) {
    const length = Math.min(segment.size - position, LOCATE_BYTES)
    const chunk = readWhole(segment, position, length, () => located.subarray(0, length))
    let at = 0
    while (at + BATCH_HEADER_BYTES <= chunk.length) {
      const batch = headerAt(segment, chunk, at, position)
      if (batch.lastOffset >= fromOffset) return position + at
      at += batch.sizeInBytes
    }
    if (at === 0) throw new CorruptLogError(segment.path, position, "it ends inside a batch header")
    position += at
  }
  return segment.size
}

/** End of the last whole batch in `bytes` that is below `endOffset`. */
function trim(segment: Segment, bytes: Uint8Array, position: number, endOffset: number): number {
  // The index knows batch starts near both bounds, so that only the batches behind the nearer one are walked.
  let known = segment.offsetIndex.batchStartBefore(position + bytes.length)
  if (endOffset < segment.nextOffset) known = Math.min(known, segment.offsetIndex.positionFor(endOffset - 1))
  let end = Math.max(0, known - position)
  let nextOffset = -1
  while (end + BATCH_HEADER_BYTES <= bytes.length) {
    const batch = headerAt(segment, bytes, end, position)
    const size = batch.sizeInBytes
    if (size > bytes.length - end || batch.baseOffset >= endOffset) break
    nextOffset = batch.nextOffset
    end += size
  }
  // Most reads go on where the last one ended.
  if (nextOffset >= 0) segment.readPositions.set(nextOffset, position + end)
  return end
}

function headerAt(segment: Segment, buffer: Uint8Array, at: number, position: number): RecordBatchView {
  const batch = new RecordBatchView(buffer, at)
  if (batch.sizeInBytes < BATCH_HEADER_BYTES || batch.lastOffsetDelta < 0) {
    throw new CorruptLogError(segment.path, position + at, "there is no batch header")
  }
  return batch
}

function readWhole(segment: Segment, position: number, length: number, take: Take): Buffer {
  const buffer = take(length)
  const read = segment.file.read(buffer, 0, length, position)
  if (read === length) return buffer
  throw new CorruptLogError(segment.path, position + read, `the file is shorter than its ${segment.size} bytes`)
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
