/**
 * Timestamp to offset in a segment.
 *
 *   entry, 12 bytes:  timestamp int64 | relativeOffset int32
 *
 * An entry says: of the batches so far, the one that ends at this offset has the greatest timestamp. Timestamps and
 * offsets ascend strictly, so everything before an entry's offset is at most as late as its timestamp.
 */
import type { Disk } from "@millrace/host"
import { int32At, int64At, putInt32, putInt64 } from "@millrace/protocol/record/integers"
import { EntryFile } from "./entry-file.ts"

const ENTRY_BYTES = 12

export class TimeIndex {
  readonly file: EntryFile
  readonly #baseOffset: number
  constructor(disk: Disk, path: string, baseOffset: number) {
    this.file = new EntryFile(disk, path, ENTRY_BYTES)
    this.#baseOffset = baseOffset
  }

  get count(): number {
    return this.file.count
  }

  timestampAt(entry: number): number {
    return int64At(this.file.bytes, entry * ENTRY_BYTES)
  }

  offsetAt(entry: number): number {
    return this.#baseOffset + int32At(this.file.bytes, entry * ENTRY_BYTES + 8)
  }

  /** Adds an entry unless its timestamp is no later than the last one's. */
  maybeAppend(timestamp: number, lastOffset: number): void {
    if (timestamp < 0) return
    if (this.count > 0 && timestamp <= this.timestampAt(this.count - 1)) return
    const at = this.file.push()
    putInt64(this.file.bytes, at, timestamp)
    putInt32(this.file.bytes, at + 8, lastOffset - this.#baseOffset)
  }

  /** The last offset of a batch before which every record is earlier than `timestamp`; the base offset if none is known. */
  offsetFor(timestamp: number): number {
    let low = 0
    let high = this.count - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (this.timestampAt(middle) < timestamp) low = middle + 1
      else high = middle - 1
    }
    return high < 0 ? this.#baseOffset : this.offsetAt(high)
  }

  /** Keeps the entries of batches that end below `offset`. */
  truncateTo(offset: number): void {
    let count = this.count
    while (count > 0 && this.offsetAt(count - 1) >= offset) count--
    this.file.truncate(count)
  }

  /** Reads as: the last entry can belong to this segment. */
  isSane(): boolean {
    if (this.count === 0) return true
    const last = this.count - 1
    return this.offsetAt(last) >= this.#baseOffset && this.timestampAt(last) >= this.timestampAt(0)
  }
}
