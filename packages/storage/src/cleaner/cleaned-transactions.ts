/**
 * Which transaction a batch belongs to, and which markers have lost their data, as the cleaner walks through a log.
 *
 * The aborted transactions are known beforehand from the log's transaction indexes; every other transactional batch
 * below the last stable offset is committed. A marker may go once a walk met no batch of its transaction: in the walk
 * that drops the batches it stays, with its index entry, since readers of the old segments still need both.
 *
 * Batches must be shown in offset order, from the start of what is walked.
 */
import { ControlType, controlTypeOf } from "@millrace/protocol/record/control"
import type { RecordBatchView } from "@millrace/protocol/record/batch"
import { RecordReader } from "@millrace/protocol/record/record"
import type { IndexedAbort } from "../transaction-index.ts"

interface OpenAbort {
  readonly entry: IndexedAbort
  hasBatch: boolean
}

export class CleanedTransactions {
  /** Ascending by first offset; those before `#next` were taken into `#aborting`. */
  readonly #aborted: readonly IndexedAbort[]
  #next = 0
  readonly #aborting = new Map<number, OpenAbort>()
  readonly #committing = new Set<number>()

  constructor(aborted: readonly IndexedAbort[]) {
    this.#aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Takes a data batch; true when its transaction was aborted, so that nothing of it may stay. */
  onData(batch: RecordBatchView): boolean {
    if (!batch.isTransactional) return false
    this.#begin(batch.lastOffset)
    const { producerId } = batch
    const abort = this.#aborting.get(producerId)
    if (abort === undefined) {
      this.#committing.add(producerId)
      return false
    }
    abort.hasBatch = true
    return true
  }

  /**
   * Takes a control batch. `removable`: no batch of its transaction is left. `abort`: what the index of the cleaned
   * segment must say about it.
   */
  onControl(batch: RecordBatchView): { readonly removable: boolean; readonly abort?: IndexedAbort } {
    this.#begin(batch.lastOffset)
    const record = new RecordReader(batch)
    // It was emptied before.
    if (!record.next()) return { removable: true }
    const { producerId } = batch
    switch (controlTypeOf(record.key())) {
      case ControlType.ABORT: {
        const abort = this.#aborting.get(producerId)
        this.#aborting.delete(producerId)
        return abort?.hasBatch ? { removable: false, abort: abort.entry } : { removable: true }
      }
      case ControlType.COMMIT:
        return { removable: !this.#committing.delete(producerId) }
      default:
        return { removable: false }
    }
  }

  /** The aborted transactions that started at or before an offset. */
  #begin(offset: number): void {
    for (; this.#next < this.#aborted.length; this.#next++) {
      const entry = this.#aborted[this.#next]!
      if (entry.firstOffset > offset) return
      if (!this.#aborting.has(entry.producerId)) this.#aborting.set(entry.producerId, { entry, hasBatch: false })
    }
  }
}
