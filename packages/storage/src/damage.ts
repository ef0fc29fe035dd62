/**
 * Tells a torn tail from corruption.
 *
 * A crash leaves the end of a file short, or, when the power failed, with sectors that never reached the device and
 * read as zeros. Such a tail was never flushed and may be cut. Anything else (a whole batch with a wrong checksum, good
 * batches behind a bad one) is damage to data that was written properly: cutting it would silently drop records that
 * may have been acknowledged, so it is an error instead.
 */
import type { DiskFile } from "@millrace/host"
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  CRC_AT,
  CURRENT_MAGIC,
  MAGIC_AT,
  RecordBatchView,
} from "@millrace/protocol/record/batch"
import { CorruptRecordError } from "@millrace/protocol/record/corrupt"
import { crc32c } from "@millrace/protocol/record/crc32c"
import { putInt64, uint32At } from "@millrace/protocol/record/integers"
import type { Damage } from "./scan.ts"

const SECTOR_BYTES = 512
/** Zeros in fewer bytes of a sector say nothing, unless the file ends with them. */
const LOST_BYTES_MIN = 64
const BATCH_LENGTH_END = 12
/** How far behind the damage good batches are looked for. */
const SEARCH_BYTES_MAX = 64 * 1024 * 1024

/** Whether the bytes from `damage.position` on can be what a crash left of writes that were never flushed. */
export function isTornTail(file: DiskFile, size: number, damage: Damage, expectedOffset: number): boolean {
  const length = Math.min(size - damage.position, SEARCH_BYTES_MAX)
  const bytes = Buffer.allocUnsafeSlow(length)
  const read = file.read(bytes, 0, length, damage.position)
  const tail = bytes.subarray(0, read)
  if (lostItsStart(tail, damage.position, expectedOffset)) return true
  if (hasLostSector(tail, damage.position, damage.end - damage.position)) return true
  // A header was written whole and its batch ends inside the file: nothing of it is missing, so its content changed.
  if (isWholeBatch(tail, expectedOffset)) return false
  // Only its length is wrong: up to the end of the file it matches its checksum.
  if (matchesWithoutLength(tail)) return false
  return !hasBatch(tail, expectedOffset)
}

/** The damaged batch starts with zeros, to the next sector or over its whole header, where its offset has none. */
function lostItsStart(tail: Uint8Array, position: number, expectedOffset: number): boolean {
  const end = Math.min(SECTOR_BYTES - (position % SECTOR_BYTES), BATCH_HEADER_BYTES, tail.length)
  if (!isZero(tail, 0, end)) return false
  if (end >= BATCH_LENGTH_END) return true
  const expected = new Uint8Array(8)
  putInt64(expected, 0, expectedOffset)
  return !isZero(expected, 0, Math.min(end, 8))
}

/** A sector that the damaged batch reaches is all zeros, as far as it lies behind the batch's start and in the file. */
function hasLostSector(tail: Uint8Array, position: number, length: number): boolean {
  let at = 0
  while (at < Math.min(length, tail.length)) {
    const end = Math.min(tail.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES))
    if ((end - at >= LOST_BYTES_MIN || end === tail.length) && isZero(tail, at, end)) return true
    at = end
  }
  return false
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false
  return true
}

/** Reads as: a header that fits its place and a size that the file holds. */
function isWholeBatch(tail: Uint8Array, expectedOffset: number): boolean {
  if (tail.length < BATCH_HEADER_BYTES) return false
  const batch = new RecordBatchView(tail)
  const size = batch.sizeInBytes
  const plausible = offsetOf(batch) === expectedOffset || batch.magic === CURRENT_MAGIC
  return plausible && size >= BATCH_HEADER_BYTES && size <= tail.length
}

function matchesWithoutLength(tail: Uint8Array): boolean {
  if (tail.length < BATCH_HEADER_BYTES) return false
  return uint32At(tail, CRC_AT) === crc32c(tail, ATTRIBUTES_AT)
}

/** Whether a valid batch of a later offset follows somewhere. */
function hasBatch(tail: Uint8Array, expectedOffset: number): boolean {
  for (let at = 1; at + BATCH_HEADER_BYTES <= tail.length; at++) {
    if (tail[at + MAGIC_AT] !== CURRENT_MAGIC) continue
    const batch = new RecordBatchView(tail, at)
    const size = batch.sizeInBytes
    if (size < BATCH_HEADER_BYTES || size > tail.length - at) continue
    const offset = offsetOf(batch)
    if (offset >= expectedOffset && batch.isValidCrc()) return true
  }
  return false
}

/** The base offset, or -1 when the bytes there are no offset. */
function offsetOf(batch: RecordBatchView): number {
  try {
    return batch.baseOffset
  } catch (cause) {
    if (cause instanceof CorruptRecordError) return -1
    throw cause
  }
}
