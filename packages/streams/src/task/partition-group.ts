/**
 * The input partitions of one task, and which of them is next.
 *
 * Of all partitions with records at hand it is the one whose head has the smallest timestamp, of equals the first in the
 * order given, which has tables before streams. A task waits while some
 * partition is empty and not known to be caught up (KIP-695): a later record there might be the earlier one.
 */
import type { RecordQueue } from "./record-queue.ts"

export class PartitionGroup {
  readonly queues: readonly RecordQueue[]

  constructor(queues: readonly RecordQueue[]) {
    this.queues = queues
  }

  /** The queue whose head is next; undefined when there is none, or it is not known yet. */
  choose(): RecordQueue | undefined {
    let chosen: RecordQueue | undefined
    let least = 0
    for (const queue of this.queues) {
      if (queue.head === undefined) {
        if (!queue.isCaughtUp) return undefined
        continue
      }
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
      if (queue.head !== undefined) hasHead = true
      else if (!queue.isCaughtUp) return false
    }
    return hasHead
  }

  get bufferedRecords(): number {
    let count = 0
    for (const queue of this.queues) count += queue.bufferedRecords
    return count
  }
}
