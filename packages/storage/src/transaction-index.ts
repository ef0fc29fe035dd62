/**
 * Aborted transactions whose marker lies in a segment, in marker order.
 *
 *   entry, 34 bytes:  version int16 = 0 | producerId int64 | firstOffset int64 | lastOffset int64 | lastStableOffset int64
 *
 * `lastStableOffset` is the log's when the marker was written. It ascends, so a reader may stop at the first entry
 * whose last stable offset reaches the end of its range: what follows starts at or behind that end.
 */
import type { Disk } from "@millrace/host"
import { int16At, int64At, putInt64 } from "@millrace/protocol/record/integers"
import { EntryFile } from "./entry-file.ts"
import { CorruptLogError } from "./faults.ts"

const ENTRY_BYTES = 34

/** An entry as it is stored. */
export interface IndexedAbort {
  readonly producerId: number
  readonly firstOffset: number
  /** The marker's. */
  readonly lastOffset: number
  readonly lastStableOffset: number
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export class TransactionIndex {
  readonly file: EntryFile
  constructor(disk: Disk, path: string) {
    this.file = new EntryFile(disk, path, ENTRY_BYTES)
  }

  append(producerId: number, firstOffset: number, lastOffset: number, lastStableOffset: number): void {
    const at = this.file.push()
    const bytes = this.file.bytes
    bytes[at] = bytes[at + 1] = 0
    putInt64(bytes, at + 2, producerId)
    putInt64(bytes, at + 10, firstOffset)
    putInt64(bytes, at + 18, lastOffset)
    putInt64(bytes, at + 26, lastStableOffset)
  }

  lastOffsetAt(entry: number): number {
    return int64At(this.file.bytes, entry * ENTRY_BYTES + 18)
  }

  entries(): IndexedAbort[] {
    return Array.from({ length: this.file.count }, (_, entry) => {
      const at = entry * ENTRY_BYTES
      return {
        producerId: int64At(this.file.bytes, at + 2),
        firstOffset: int64At(this.file.bytes, at + 10),
        lastOffset: int64At(this.file.bytes, at + 18),
        lastStableOffset: int64At(this.file.bytes, at + 26),
      }
    })
  }

  /** Adds to `found` what overlaps [fromOffset, upperBound); true when later entries cannot. */
  collect(fromOffset: number, upperBound: number, found: AbortedTransaction[]): boolean {
    const bytes = this.file.bytes
    for (let entry = 0; entry < this.file.count; entry++) {
      const at = entry * ENTRY_BYTES
      const firstOffset = int64At(bytes, at + 10)
      if (int64At(bytes, at + 18) >= fromOffset && firstOffset < upperBound) {
        found.push({ producerId: int64At(bytes, at + 2), firstOffset })
      }
      if (int64At(bytes, at + 26) >= upperBound) return true
    }
    return false
  }

  /** Keeps the entries whose marker is below `offset`. */
  truncateTo(offset: number): void {
    let count = this.file.count
    while (count > 0 && this.lastOffsetAt(count - 1) >= offset) count--
    this.file.truncate(count)
  }

  load(): void {
    if (!this.file.load()) return
    for (let entry = 0; entry < this.file.count; entry++) {
      const version = int16At(this.file.bytes, entry * ENTRY_BYTES)
      if (version !== 0) {
        throw new CorruptLogError(
          this.file.path,
          entry * ENTRY_BYTES,
          `an entry has version ${version}, only 0 is known`,
        )
      }
    }
  }
}
