/**
 * A segment aside of its log that takes what cleaning leaves of others, until it takes their place or is given up.
 *
 *   append...  ->  seal  ->  swapIn        or, at any time before swapIn, discard
 */
import type { Disk } from "@millrace/host"
import type { RecordBatchView } from "@millrace/protocol/record/batch"
import { CLEANED_SUFFIX } from "../layout.ts"
import type { LogConfig } from "../log-config.ts"
import type { OpenSegments } from "../open-segments.ts"
import { Segment } from "../segment.ts"
import type { IndexedAbort } from "../transaction-index.ts"
import { discardCleaned, swapIn } from "./swap.ts"

export class Replacement {
  readonly baseOffset: number
  readonly #disk: Disk
  readonly #directory: string
  readonly #segment: Segment

  constructor(disk: Disk, open: OpenSegments, directory: string, baseOffset: number, config: LogConfig, now: number) {
    this.baseOffset = baseOffset
    this.#disk = disk
    this.#directory = directory
    this.#segment = new Segment(disk, open, directory, baseOffset, config.indexIntervalBytes, now, CLEANED_SUFFIX)
    this.#segment.create()
    this.#segment.active = true
  }

  get size(): number {
    return this.#segment.size
  }

  get isSealed(): boolean {
    return this.#segment.isRetired
  }

  append(chunks: readonly Uint8Array[], batches: readonly RecordBatchView[]): void {
    this.#segment.append(chunks, batches)
  }

  addAbort({ producerId, firstOffset, lastOffset, lastStableOffset }: IndexedAbort): void {
    this.#segment.transactionIndex.append(producerId, firstOffset, lastOffset, lastStableOffset)
  }

  /** Completes the files, durably. */
  async seal(): Promise<void> {
    const segment = this.#segment
    segment.writeIndexes()
    // Even an empty one: it takes the place of the old segment's.
    segment.transactionIndex.file.write(true)
    await segment.syncLater()
    segment.syncIndexes()
    segment.retire()
  }

  /** Takes the place of the segments with these base offsets, the first of which is its own. Durable from the start. */
  swapIn(oldBases: readonly number[]): void {
    swapIn(this.#disk, this.#directory, oldBases)
  }

  discard(): void {
    this.#segment.retire()
    discardCleaned(this.#disk, this.#directory, this.baseOffset)
  }
}
