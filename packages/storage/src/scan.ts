/**
 * Reads a segment's batches in order, as recovery, index building and time queries need it, and says where the bytes
 * stop being batches and why.
 */
import type { DiskFile } from "@millrace/host"
import { BATCH_HEADER_BYTES, CURRENT_MAGIC, MAGIC_END, RecordBatchView } from "@millrace/protocol/record/batch"
import { CorruptRecordError } from "@millrace/protocol/record/corrupt"

const CHUNK_BYTES = 1024 * 1024

/** Why the bytes at `position` are not the next batch. `end`: where it would end by its own claim. */
export interface Damage {
  readonly position: number
  readonly end: number
  readonly reason: string
}

export interface ScanResult {
  /** Behind the last good batch. */
  readonly end: number
  readonly damage: Damage | undefined
}

/**
 * Visits each batch in `file[start, size)` until `visit` answers false. The view is valid only during the visit. A
 * CorruptRecordError thrown by `visit` is damage at that batch.
 */
export function scanBatches(
  file: DiskFile,
  start: number,
  size: number,
  checkCrc: boolean,
  visit: (batch: RecordBatchView, position: number) => boolean | void,
): ScanResult {
  let buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(size - start, 0)))
  let position = start
  const damaged = (end: number, reason: string): ScanResult => ({ end: position, damage: { position, end, reason } })
  while (position < size) {
    const length = Math.min(buffer.length, size - position)
    const read = file.read(buffer, 0, length, position)
    if (read < length) return damaged(size, `the file ends at byte ${position + read}, ${size} were expected`)
    const chunk = buffer.subarray(0, read)
    let at = 0
    let needed = 0
    while (at < read) {
      const left = size - position
      if (read - at < BATCH_HEADER_BYTES) {
        if (left < BATCH_HEADER_BYTES) return damaged(size, `${left} bytes are less than a batch header`)
        needed = BATCH_HEADER_BYTES
        break
      }
      const batch = new RecordBatchView(chunk, at)
      const bytes = batch.sizeInBytes
      if (chunk[at + MAGIC_END - 1] !== CURRENT_MAGIC || bytes < BATCH_HEADER_BYTES) {
        return damaged(plausibleEnd(position, bytes, size), "there is no batch header")
      }
      if (bytes > left) return damaged(size, `a batch of ${bytes} bytes has only ${left}`)
      if (bytes > read - at) {
        needed = bytes
        break
      }
      if (checkCrc && !batch.isValidCrc()) {
        return damaged(position + bytes, `a batch of ${bytes} bytes does not match its checksum`)
      }
      try {
        if (visit(batch, position) === false) return { end: position + bytes, damage: undefined }
      } catch (cause) {
        if (cause instanceof CorruptRecordError) return damaged(position + bytes, cause.message)
        throw cause
      }
      at += bytes
      position += bytes
    }
    if (at === 0 && needed > buffer.length) buffer = Buffer.allocUnsafeSlow(needed)
  }
  return { end: position, damage: undefined }
}

function plausibleEnd(position: number, bytes: number, size: number): number {
  const end = position + bytes
  return bytes >= BATCH_HEADER_BYTES && end <= size ? end : size
}
