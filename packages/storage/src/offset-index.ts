/**
 * Offset to position in a segment, one entry for every few kilobytes of batches.
 *
 *   entry, 8 bytes:  relativeOffset int32 | position int32
 *
 * An entry names the last offset of the batch that starts at its position; both ascend. So the batch that holds an
 * offset starts at or after the position of the greatest entry that is not beyond it.
 */
import type { Disk } from "@millrace/host"
import { int32At, putInt32 } from "@millrace/protocol/record/integers"
import { EntryFile } from "./entry-file.ts"

const ENTRY_BYTES = 8

export class OffsetIndex {
  readonly file: EntryFile
  readonly #baseOffset: number
  constructor(disk: Disk, path: string, baseOffset: number) {
    this.file = new EntryFile(disk, path, ENTRY_BYTES)
    this.#baseOffset = baseOffset
  }

  get count(): number {
    return this.file.count
  }

  append(lastOffset: number, position: number): void {
    const at = this.file.push()
    putInt32(this.file.bytes, at, lastOffset - this.#baseOffset)
    putInt32(this.file.bytes, at + 4, position)
  }

  offsetAt(entry: number): number {
    return this.#baseOffset + int32At(this.file.bytes, entry * ENTRY_BYTES)
  }

  positionAt(entry: number): number {
    return int32At(this.file.bytes, entry * ENTRY_BYTES + 4)
  }

  /** Where to start looking for the batch that holds `offset`: 0 when no entry is at or below it. */
  positionFor(offset: number): number {
    const entry = this.#floor(offset - this.#baseOffset, 0)
    return entry < 0 ? 0 : this.positionAt(entry)
  }

  /** Start of a batch at or before `position`: the greatest that the index knows. */
  batchStartBefore(position: number): number {
    const entry = this.#floor(position, 4)
    return entry < 0 ? 0 : this.positionAt(entry)
  }

  /** Keeps the entries of batches that end below `offset`. */
  truncateTo(offset: number): void {
    this.file.truncate(this.#floor(offset - 1 - this.#baseOffset, 0) + 1)
  }

  /** Reads as: every entry can belong to a log of that size. Looks at the ends only. */
  isSane(logSize: number): boolean {
    if (this.count === 0) return true
    const last = this.count - 1
    return (
      this.offsetAt(0) >= this.#baseOffset && this.offsetAt(last) >= this.offsetAt(0) && this.positionAt(last) < logSize
    )
  }

  /** Greatest entry whose field (0 offset, 4 position) is at most `target`; -1 when there is none. */
  #floor(target: number, field: number): number {
    let low = 0
    let high = this.file.count - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (int32At(this.file.bytes, middle * ENTRY_BYTES + field) <= target) low = middle + 1
      else high = middle - 1
    }
    return high
  }
}
