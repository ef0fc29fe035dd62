/**
 * Which offset each leader epoch started at (KIP-101), to find where a follower's or consumer's log diverged.
 *
 * Epochs and start offsets ascend. The file is written when the log is flushed: until then the epochs are in the
 * batches themselves, and recovery reads them from there.
 */
import type { Disk } from "@millrace/host"
import { integer, readCheckpoint, writeCheckpoint } from "./checkpoint.ts"

export const UNDEFINED_EPOCH = -1
export const UNDEFINED_EPOCH_OFFSET = -1

export class LeaderEpochs {
  readonly #disk: Disk
  readonly #path: string
  #epochs: number[] = []
  #starts: number[] = []
  #dirty = false

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
    for (const [epoch, start] of readCheckpoint(disk, path, 2) ?? []) {
      this.#epochs.push(integer(path, epoch!))
      this.#starts.push(integer(path, start!))
    }
  }

  /** -1 when no batch of the log has an epoch. */
  get latest(): number {
    return this.#epochs.at(-1) ?? UNDEFINED_EPOCH
  }

  get entries(): readonly { readonly epoch: number; readonly startOffset: number }[] {
    return this.#epochs.map((epoch, index) => ({ epoch, startOffset: this.#starts[index]! }))
  }

  /** Notes that `epoch` starts at `startOffset`, unless that or a later epoch is known. */
  assign(epoch: number, startOffset: number): void {
    if (epoch < 0 || epoch <= this.latest) return
    // An epoch that never wrote a record gives way to the next one at the same offset.
    while (this.#starts.length > 0 && this.#starts.at(-1)! >= startOffset) {
      this.#starts.pop()
      this.#epochs.pop()
    }
    this.#epochs.push(epoch)
    this.#starts.push(startOffset)
    this.#dirty = true
  }

  /** The epoch that wrote `offset`, -1 when it is before the first one known. */
  epochOf(offset: number): number {
    let index = this.#starts.length - 1
    while (index >= 0 && this.#starts[index]! > offset) index--
    return index < 0 ? UNDEFINED_EPOCH : this.#epochs[index]!
  }

  /** The largest epoch up to `epoch` and the offset behind its last record; -1, -1 when none is known. */
  endOffsetFor(epoch: number, logEndOffset: number): { readonly epoch: number; readonly endOffset: number } {
    const undefinedEnd = { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_EPOCH_OFFSET }
    if (epoch === UNDEFINED_EPOCH || epoch > this.latest) return undefinedEnd
    if (epoch === this.latest) return { epoch, endOffset: logEndOffset }
    const next = this.#epochs.findIndex((candidate) => candidate > epoch)
    // Before the first known epoch: the requested one is answered, ending where the known history starts.
    if (next === 0) return { epoch, endOffset: this.#starts[0]! }
    return { epoch: this.#epochs[next - 1]!, endOffset: this.#starts[next]! }
  }

  truncateFromEnd(endOffset: number): void {
    while (this.#starts.length > 0 && this.#starts.at(-1)! >= endOffset) {
      this.#starts.pop()
      this.#epochs.pop()
      this.#dirty = true
    }
  }

  /** Forgets epochs that ended before `startOffset`; the one that holds it now starts there. */
  truncateFromStart(startOffset: number): void {
    let keep = this.#starts.length - 1
    while (keep > 0 && this.#starts[keep]! > startOffset) keep--
    if (keep < 0 || (keep === 0 && this.#starts[0]! >= startOffset)) return
    this.#epochs.splice(0, keep)
    this.#starts.splice(0, keep)
    this.#starts[0] = Math.max(this.#starts[0]!, startOffset)
    this.#dirty = true
  }

  clear(): void {
    this.#epochs = []
    this.#starts = []
    this.#dirty = true
  }

  /** Writes the file, durably, when something changed. */
  save(): void {
    if (!this.#dirty) return
    writeCheckpoint(
      this.#disk,
      this.#path,
      this.#epochs.map((epoch, index) => `${epoch} ${this.#starts[index]}`),
    )
    this.#dirty = false
  }
}
