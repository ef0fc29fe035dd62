/**
 * What a log remembers of one producer (KIP-98): its epoch, its last batches, its open transaction.
 *
 * The window holds the last 5 batches of the current epoch. A retried batch that matches one of them exactly gets that
 * batch's offset again; a client has at most 5 requests in flight, so a retry can never fall out of the window.
 */
import { NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP } from "@millrace/protocol/record/batch"

/** Batches remembered for each producer: Kafka's limit on in-flight requests of an idempotent producer. */
export const BATCHES_RETAINED = 5
export const NO_COORDINATOR_EPOCH = -1

const SEQUENCES = 0x8000_0000

export interface BatchMetadata {
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: number
}

export function firstSequenceOf(batch: BatchMetadata): number {
  const first = batch.lastSequence - batch.offsetDelta
  return first < 0 ? first + SEQUENCES : first
}

export class ProducerEntry {
  readonly producerId: number
  epoch = NO_PRODUCER_EPOCH
  coordinatorEpoch = NO_COORDINATOR_EPOCH
  /** Greatest timestamp of the last batch or marker; what snapshots store. */
  lastTimestamp = NO_TIMESTAMP
  /** The broker's time of the last append, or of the start after which it was replayed: what expiry goes by. */
  lastSeen: number
  /** First offset of the open transaction, or -1. */
  currentTxnFirstOffset = -1
  /** Oldest first, at most `BATCHES_RETAINED`. */
  batches: BatchMetadata[] = []

  constructor(producerId: number, lastSeen: number) {
    this.producerId = producerId
    this.lastSeen = lastSeen
  }

  get lastSequence(): number {
    return this.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
  }

  /** The remembered batch with exactly this epoch and these sequences. */
  findDuplicate(epoch: number, firstSequence: number, lastSequence: number): BatchMetadata | undefined {
    if (epoch !== this.epoch) return undefined
    for (const batch of this.batches) {
      if (batch.lastSequence === lastSequence && firstSequenceOf(batch) === firstSequence) return batch
    }
    return undefined
  }

  addBatch(epoch: number, batch: BatchMetadata): void {
    this.setEpoch(epoch)
    if (this.batches.length === BATCHES_RETAINED) this.batches.shift()
    this.batches.push(batch)
    this.lastTimestamp = batch.timestamp
  }

  /** A new epoch starts with an empty window: its first sequence is 0 again. */
  setEpoch(epoch: number): void {
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.batches = []
  }
}

/** Reads as: `next` is the sequence that follows `last`; after 2147483647 comes 0. */
export function isInSequence(last: number, next: number): boolean {
  return next === last + 1 || (next === 0 && last === SEQUENCES - 1)
}
