/**
 * The producer snapshot files of one log: one at each segment's start and one at the end after a clean shutdown.
 *
 * A torn or missing snapshot costs reading more of the log. It costs state only where the records that it stands for were
 * deleted: of producers that wrote nothing since.
 */
import { type Disk, writeFileAtomically } from "@millrace/host"
import { offsetFileName, offsetOfFileName, SNAPSHOT_SUFFIX } from "./layout.ts"
import { encodeProducerSnapshot, readProducerSnapshot } from "./producer-snapshot.ts"
import type { ProducerState } from "./producer-state.ts"

export class ProducerSnapshots {
  readonly #disk: Disk
  readonly #directory: string
  readonly #offsets: Set<number>
  readonly #unsynced = new Set<number>()

  constructor(disk: Disk, directory: string, names: readonly string[]) {
    this.#disk = disk
    this.#directory = directory
    const offsets = names.map((name) => offsetOfFileName(name, SNAPSHOT_SUFFIX))
    this.#offsets = new Set(offsets.filter((offset) => offset !== undefined))
  }

  /** Loads the latest usable snapshot at or below `offset` into `state` and answers its offset; -1 when there is none. */
  load(state: ProducerState, offset: number, now: number): number {
    const candidates = [...this.#offsets].filter((candidate) => candidate <= offset).sort((a, b) => b - a)
    for (const candidate of candidates) {
      const producers = readProducerSnapshot(this.#disk, this.#path(candidate), now)
      if (producers !== undefined) {
        state.load(producers)
        return candidate
      }
      this.#remove(candidate)
    }
    state.load(new Map())
    return -1
  }

  /** Writes a snapshot; `sync` makes it durable later. */
  take(state: ProducerState, offset: number): void {
    const content = encodeProducerSnapshot(state.producers.values())
    // One that is there may be all that is known of records that were deleted: a full disk must not tear it.
    if (this.#offsets.has(offset)) return writeFileAtomically(this.#disk, this.#path(offset), content)
    const file = this.#disk.open(this.#path(offset), { create: true, truncate: true })
    try {
      file.write([content], 0)
    } finally {
      file.close()
    }
    this.#offsets.add(offset)
    this.#unsynced.add(offset)
  }

  /** Makes the snapshots up to `offset` durable; the caller syncs the directory. */
  sync(offset: number): void {
    for (const candidate of this.#unsynced) {
      if (candidate > offset) continue
      const file = this.#disk.open(this.#path(candidate))
      try {
        file.sync()
      } finally {
        file.close()
      }
      this.#unsynced.delete(candidate)
    }
  }

  /** Removes those that are neither at a segment's start nor the latest. */
  prune(segmentBases: readonly number[]): void {
    const latest = Math.max(...this.#offsets)
    const keep = new Set(segmentBases)
    for (const offset of this.#offsets) if (offset !== latest && !keep.has(offset)) this.#remove(offset)
  }

  /** Removes those of records that are not there any more, for good: the next ones get their offsets. */
  removeAbove(offset: number): void {
    const gone = [...this.#offsets].filter((candidate) => candidate > offset)
    for (const candidate of gone) this.#remove(candidate)
    if (gone.length > 0) this.#disk.syncDirectory(this.#directory)
  }

  #remove(offset: number): void {
    this.#offsets.delete(offset)
    this.#unsynced.delete(offset)
    this.#disk.remove(this.#path(offset))
  }

  #path(offset: number): string {
    return `${this.#directory}/${offsetFileName(offset, SNAPSHOT_SUFFIX)}`
  }
}
