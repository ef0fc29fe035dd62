/**
 * The input partitions of one task, and which of them is next.
 *
 * Of all partitions with records at hand it is the one whose head has the smallest timestamp, of equals the first in the
 * order given, which has tables before streams. A task waits while some partition is empty and not known to be caught up
 * (KIP-695): a later record there might be the earlier one. With a `maxIdleMs` above 0 it also waits for one that is caught up, for so long from when it was seen empty, by the wall clock; with
 * -1 for none.
 */
import type { RecordQueue } from "./record-queue.ts"

interface IdlePolicy {
  readonly maxIdleMs: number
  readonly now: () => number
}

export class PartitionGroup {
  readonly queues: readonly RecordQueue[]
  readonly #maxIdleMs: number
  readonly #now: () => number
  /** Caught up, and empty since. */
  readonly #emptySince = new Map<RecordQueue, number>()

  constructor(queues: readonly RecordQueue[], { maxIdleMs, now }: IdlePolicy = { maxIdleMs: 0, now: () => 0 }) {
    this.queues = queues
    this.#maxIdleMs = maxIdleMs
    this.#now = now
  }

  /** The queue whose head is next; undefined when there is none, or it is not known yet. */
  choose(): RecordQueue | undefined {
    let chosen: RecordQueue | undefined
    let least = 0
    for (const queue of this.queues) {
      if (queue.head === undefined) {
        if (this.#isAwaited(queue)) return undefined
        continue
      }
      if (this.#maxIdleMs > 0) this.#emptySince.delete(queue)
      const time = queue.headTimestamp
      if (chosen !== undefined && time >= least) continue
      chosen = queue
      least = time
    }
    return chosen
  }

  /** Whether `choose` would answer a queue; decodes nothing. */
  get isReady(): boolean {
    let hasHead = false
    for (const queue of this.queues) {
      if (queue.head === undefined) {
        if (this.#isAwaited(queue)) return false
        continue
      }
      if (this.#maxIdleMs > 0) this.#emptySince.delete(queue)
      hasHead = true
    }
    return hasHead
  }

  #isAwaited(queue: RecordQueue): boolean {
    if (this.#maxIdleMs < 0) return false
    if (!queue.isCaughtUp) {
      this.#emptySince.delete(queue)
      return true
    }
    if (this.#maxIdleMs === 0) return false
    const now = this.#now()
    const since = this.#emptySince.get(queue)
    if (since === undefined) this.#emptySince.set(queue, now)
    return now - (since ?? now) < this.#maxIdleMs
  }

  get bufferedRecords(): number {
    let count = 0
    for (const queue of this.queues) count += queue.bufferedRecords
    return count
  }
}
