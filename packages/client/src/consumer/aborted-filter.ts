/**
 * Which batches of a partition a read_committed consumer may see (KIP-98).
 *
 * A fetch answer lists the aborted transactions that overlap it, by first offset. The producers whose aborted
 * transaction is open at the current offset make the active set: a transactional batch of one of them is dropped, and
 * its ABORT marker ends it. The set outlives an answer, because a transaction may span many, and one producer may abort
 * several times within one.
 */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** What the filter must know of a batch; `RecordBatchView` has it. */
export interface FilteredBatch {
  readonly lastOffset: number
  readonly producerId: number
  readonly isTransactional: boolean
}

export class AbortedFilter {
  readonly #active = new Set<number>()
  #pending: AbortedTransaction[] = []
  #next = 0

  /** A new answer's list. What was listed before and not yet reached stays. */
  begin(aborted: readonly AbortedTransaction[] | null): void {
    const rest = this.#pending.slice(this.#next)
    this.#next = 0
    this.#pending = rest
    if (aborted === null || aborted.length === 0) return
    for (const transaction of aborted) {
      const known = rest.some(
        (other) => other.producerId === transaction.producerId && other.firstOffset === transaction.firstOffset,
      )
      if (!known) this.#pending.push(transaction)
    }
    this.#pending.sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Whether the records of a data batch may be seen. Batches must come in offset order. */
  admits(batch: FilteredBatch): boolean {
    this.#advance(batch.lastOffset)
    return !(batch.isTransactional && this.#active.has(batch.producerId))
  }

  /** A control batch with a transaction marker was passed. */
  marker(lastOffset: number, producerId: number): void {
    this.#advance(lastOffset)
    // A COMMIT ends the producer's transaction too, so that a lost ABORT marker can hide no more than one.
    this.#active.delete(producerId)
  }

  /** The position jumped: nothing that was known of open transactions holds. */
  reset(): void {
    this.#active.clear()
    this.#pending = []
    this.#next = 0
  }

  #advance(lastOffset: number): void {
    while (this.#next < this.#pending.length && this.#pending[this.#next]!.firstOffset <= lastOffset) {
      this.#active.add(this.#pending[this.#next++]!.producerId)
    }
  }
}
