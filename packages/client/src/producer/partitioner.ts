/**
 * Which partition a record without one goes to: murmur2 of its key; a null key sticks to one partition until its batch
 * is full, then moves on (KIP-480), so that keyless records still make big batches.
 */
import type { Random } from "@millrace/host"
import { partitionForKey } from "./murmur2.ts"

export interface Partitioner {
  partition(topic: string, key: Uint8Array | null, value: Uint8Array | null, partitionCount: number): number
  /** A batch of this partition was closed: the time to move to another one. */
  onBatchClosed?(topic: string, partition: number): void
}

export class DefaultPartitioner implements Partitioner {
  readonly #random: Random
  readonly #sticky = new Map<string, number>()

  constructor(random: Random) {
    this.#random = random
  }

  partition(topic: string, key: Uint8Array | null, _value: Uint8Array | null, partitionCount: number): number {
    if (key !== null) return partitionForKey(key, partitionCount)
    const current = this.#sticky.get(topic)
    if (current !== undefined && current < partitionCount) return current
    const next = this.#random.int(partitionCount)
    this.#sticky.set(topic, next)
    return next
  }

  onBatchClosed(topic: string, partition: number): void {
    if (this.#sticky.get(topic) === partition) this.#sticky.delete(topic)
  }
}
