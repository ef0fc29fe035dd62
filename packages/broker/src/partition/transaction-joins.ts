/**
 * Batches that wait until the coordinator says that their partition is part of the transaction (KIP-890), by producer.
 *
 * While one waits, later batches of its producer wait behind it, or they would be appended first. A marker that comes
 * meanwhile ends the transaction that was asked about: what waited must not be appended any more, since with a version 1
 * transaction's epoch, which stays, it would open a new one that nobody ends.
 */
export interface TransactionJoin {
  /** Batches that wait for it. */
  waiting: number
  /** The transaction ended while they waited. */
  ended: boolean
}

export class TransactionJoins {
  readonly #joins = new Map<number, TransactionJoin>()

  has(producerId: number): boolean {
    return this.#joins.has(producerId)
  }

  begin(producerId: number): TransactionJoin {
    let join = this.#joins.get(producerId)
    if (join === undefined) this.#joins.set(producerId, (join = { waiting: 0, ended: false }))
    join.waiting++
    return join
  }

  /** One batch waits no more. */
  settle(producerId: number, join: TransactionJoin): void {
    join.waiting--
    if (join.waiting === 0 && this.#joins.get(producerId) === join) this.#joins.delete(producerId)
  }

  /** A marker of the producer was appended. */
  transactionEnded(producerId: number): void {
    const join = this.#joins.get(producerId)
    if (join === undefined) return
    join.ended = true
    this.#joins.delete(producerId)
  }
}
