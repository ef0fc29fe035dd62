/** A log of an internal topic in memory, whose appends fail and whose high watermark stands still when a test says so. */
import { ErrorCode } from "@millrace/protocol"
import { batches } from "@millrace/protocol/record/batch"
import type { CoordinatorAppend, CoordinatorLog } from "../../src/coordinator/log.ts"

export class MemoryLog implements CoordinatorLog {
  readonly appends: Uint8Array[] = []
  count: number
  batchBytesMax = 1_048_588
  #endOffset = 0
  #highWatermark = 0
  #held = false
  #failures: ErrorCode[] = []

  constructor(count = 1) {
    this.count = count
  }

  partitionCount(): number {
    return this.count
  }

  append(_partition: number, bytes: Uint8Array, leaderEpoch: number): CoordinatorAppend {
    const error = this.#failures.shift()
    if (error !== undefined) return { ok: false, error }
    const baseOffset = this.#endOffset
    for (const batch of batches(bytes)) {
      batch.baseOffset = this.#endOffset
      batch.partitionLeaderEpoch = leaderEpoch
      this.#endOffset = batch.nextOffset
    }
    this.appends.push(bytes)
    if (!this.#held) this.#highWatermark = this.#endOffset
    return { ok: true, baseOffset, lastOffset: this.#endOffset - 1 }
  }

  read(_partition: number, fromOffset: number): Uint8Array {
    return (
      this.appends.find((bytes) => [...batches(bytes)].some(({ nextOffset }) => nextOffset > fromOffset)) ??
      new Uint8Array(0)
    )
  }

  logStartOffset(): number {
    return 0
  }

  logEndOffset(): number {
    return this.#endOffset
  }

  highWatermark(): number {
    return this.#highWatermark
  }

  maxBatchBytes(): number {
    return this.batchBytesMax
  }

  /** Keeps the high watermark where it is until `release`. */
  hold(): void {
    this.#held = true
  }

  release(): number {
    this.#held = false
    this.#highWatermark = this.#endOffset
    return this.#highWatermark
  }

  /** Makes the next append fail. */
  failNext(error: ErrorCode = ErrorCode.NOT_ENOUGH_REPLICAS): void {
    this.#failures.push(error)
  }
}
