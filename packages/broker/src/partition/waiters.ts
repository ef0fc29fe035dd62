/**
 * What waits for a partition: appends for the high watermark, long-polling fetches for data. Kafka's purgatory as data.
 *
 * Waiters for offsets are kept in the order of their offsets, since appends come in that order; the common case, one
 * that is already satisfied, never gets here. Nothing here knows the clock: whoever waits arms its own deadline and
 * cancels.
 */

/** One wait for the high watermark to reach `offset`. */
export interface OffsetWaiter {
  readonly offset: number
  done: boolean
  /** Undefined: reached. Otherwise why it never will be: the replica resigned or failed. */
  readonly settle: (error: number | undefined) => void
}

export class OffsetWaiters {
  #waiting: OffsetWaiter[] = []

  add(offset: number, settle: (error: number | undefined) => void): OffsetWaiter {
    const waiter: OffsetWaiter = { offset, done: false, settle }
    const last = this.#waiting.at(-1)
    this.#waiting.push(waiter)
    // Only a waiter for an older append, which came late, breaks the order.
    if (last !== undefined && last.offset > offset) this.#waiting.sort((left, right) => left.offset - right.offset)
    return waiter
  }

  get size(): number {
    return this.#waiting.length
  }

  reached(offset: number): void {
    let count = 0
    while (count < this.#waiting.length && this.#waiting[count]!.offset <= offset) count++
    if (count === 0) return
    const ready = this.#waiting
    this.#waiting = ready.slice(count)
    for (let index = 0; index < count; index++) settle(ready[index]!, undefined)
  }

  failAll(error: number): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) settle(waiter, error)
  }
}

function settle(waiter: OffsetWaiter, error: number | undefined): void {
  if (waiter.done) return
  waiter.done = true
  waiter.settle(error)
}

/** Something that wants to know when a partition has more to read, or stops being readable here. */
export interface DataWaiter {
  /** `bytes` were added below what readers may see. */
  dataArrived(bytes: number): void
  /** Leadership, epoch or the disk changed: whatever was waited for must be looked at again. */
  interrupted(): void
}

export class DataWaiters {
  readonly #waiting = new Set<DataWaiter>()

  add(waiter: DataWaiter): void {
    this.#waiting.add(waiter)
  }
  remove(waiter: DataWaiter): void {
    this.#waiting.delete(waiter)
  }
  get size(): number {
    return this.#waiting.size
  }
  dataArrived(bytes: number): void {
    for (const waiter of this.#waiting) waiter.dataArrived(bytes)
  }
  interruptAll(): void {
    for (const waiter of this.#waiting) waiter.interrupted()
  }
}
