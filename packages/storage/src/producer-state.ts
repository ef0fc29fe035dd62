/**
 * The producers of one log: duplicate detection, epoch fencing, open and just completed transactions (KIP-98, KIP-890).
 *
 * `check…` are pure decisions about a batch before it is written; `apply…` change the state after it was. Replaying
 * the log's batches through `apply…` gives the same state again.
 */
import { ErrorCode } from "@millrace/protocol/errors"
import { addSequence, NO_SEQUENCE, type RecordBatchView } from "@millrace/protocol/record/batch"
import { type EndTxnMarker, endTxnMarkerOf } from "@millrace/protocol/record/control"
import { type BatchMetadata, isInSequence, ProducerEntry } from "./producer-entry.ts"

export interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** The marker's offset. */
  readonly lastOffset: number
  readonly aborted: boolean
  /** Where the log's last stable offset moves with this marker, were all of it replicated. */
  readonly lastStableOffset: number
}

export interface Refusal {
  readonly error: ErrorCode
  readonly message: string
}

export interface CheckOptions {
  /** Only clients' batches are held to sequence numbers. */
  readonly checkSequence: boolean
  /** The broker verifies transactions before the first append (KIP-890): an unknown producer must start at 0. */
  readonly requiresVerification: boolean
}

/** The epoch after which a producer gets a new id: its last marker may carry the same epoch again (KAFKA-20090). */
const EPOCH_MAX = 32767

export class ProducerState {
  #producers = new Map<number, ProducerEntry>()
  /** First offset of each open transaction by producer id, in the order of those offsets. */
  readonly #open = new Map<number, number>()
  /** Completed transactions whose marker may be at or above the high watermark, in marker order. */
  #unreplicated: { firstOffset: number; lastOffset: number }[] = []

  get unreplicatedCount(): number {
    return this.#unreplicated.length
  }

  get producers(): ReadonlyMap<number, ProducerEntry> {
    return this.#producers
  }

  load(producers: Map<number, ProducerEntry>): void {
    this.#producers = producers
    this.#open.clear()
    this.#unreplicated = []
    const open = [...producers.values()].filter((entry) => entry.currentTxnFirstOffset >= 0)
    open.sort((a, b) => a.currentTxnFirstOffset - b.currentTxnFirstOffset)
    for (const entry of open) this.#open.set(entry.producerId, entry.currentTxnFirstOffset)
  }

  /** The earlier append of this very batch, if it is in the window. */
  findDuplicate(batch: RecordBatchView): BatchMetadata | undefined {
    return this.#producers
      .get(batch.producerId)
      ?.findDuplicate(batch.producerEpoch, batch.baseSequence, batch.lastSequence)
  }

  /** Why a data batch may not be appended, or undefined. */
  checkData(batch: RecordBatchView, options: CheckOptions): Refusal | undefined {
    const entry = this.#producers.get(batch.producerId)
    const epoch = batch.producerEpoch
    if (entry !== undefined && epoch < entry.epoch) return staleEpoch(batch, entry.epoch)
    if (options.checkSequence) {
      const refusal = checkSequence(entry, batch, options.requiresVerification)
      if (refusal !== undefined) return refusal
    }
    if (entry !== undefined && entry.currentTxnFirstOffset >= 0 && !batch.isTransactional) {
      return {
        error: ErrorCode.INVALID_TXN_STATE,
        message: `producer ${batch.producerId} has an open transaction here, the batch is not transactional`,
      }
    }
    return undefined
  }

  /** Why a transaction marker may not be appended, or undefined. `transactionVersion` 2 fences the marker's epoch. */
  checkMarker(batch: RecordBatchView, marker: EndTxnMarker, transactionVersion: number): Refusal | undefined {
    const entry = this.#producers.get(batch.producerId)
    if (entry === undefined) return undefined
    const epoch = batch.producerEpoch
    if (epoch < entry.epoch) return staleEpoch(batch, entry.epoch)
    if (transactionVersion >= 2 && epoch === entry.epoch && epoch !== EPOCH_MAX && entry.currentTxnFirstOffset >= 0) {
      return staleEpoch(batch, entry.epoch)
    }
    if (marker.coordinatorEpoch < entry.coordinatorEpoch) {
      return {
        error: ErrorCode.TRANSACTION_COORDINATOR_FENCED,
        message: `coordinator epoch ${marker.coordinatorEpoch} is older than ${entry.coordinatorEpoch}`,
      }
    }
    return undefined
  }

  /** Takes an appended batch; the transaction that it completes, if it is a marker of an open one. */
  apply(batch: RecordBatchView, lastSeen: number): CompletedTransaction | undefined {
    const producerId = batch.producerId
    if (producerId < 0) return undefined
    let marker: EndTxnMarker | undefined
    if (batch.isControl) {
      marker = endTxnMarkerOf(batch)
      if (marker === undefined) return undefined
    }
    let entry = this.#producers.get(producerId)
    if (entry === undefined) this.#producers.set(producerId, (entry = new ProducerEntry(producerId, lastSeen)))
    entry.lastSeen = lastSeen
    if (marker !== undefined) return this.#applyMarker(entry, batch, marker)
    const lastOffset = batch.lastOffset
    if (batch.baseSequence !== NO_SEQUENCE) {
      entry.addBatch(batch.producerEpoch, {
        lastSequence: addSequence(batch.baseSequence, batch.lastOffsetDelta),
        lastOffset,
        offsetDelta: batch.lastOffsetDelta,
        timestamp: batch.maxTimestamp,
      })
    } else {
      entry.setEpoch(batch.producerEpoch)
      entry.lastTimestamp = batch.maxTimestamp
    }
    if (batch.isTransactional && entry.currentTxnFirstOffset < 0) {
      entry.currentTxnFirstOffset = batch.baseOffset
      this.#open.set(producerId, batch.baseOffset)
    }
    return undefined
  }

  #applyMarker(entry: ProducerEntry, batch: RecordBatchView, marker: EndTxnMarker): CompletedTransaction | undefined {
    const firstOffset = entry.currentTxnFirstOffset
    const lastOffset = batch.lastOffset
    entry.setEpoch(batch.producerEpoch)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestamp = batch.maxTimestamp
    entry.currentTxnFirstOffset = -1
    // A marker without data before it completes nothing and does not hold the last stable offset.
    if (firstOffset < 0) return undefined
    this.#open.delete(entry.producerId)
    this.#unreplicated.push({ firstOffset, lastOffset })
    const lastStableOffset = this.firstOpenOffset ?? lastOffset + 1
    return { producerId: entry.producerId, firstOffset, lastOffset, aborted: !marker.committed, lastStableOffset }
  }

  /** Forgets the completed transactions whose marker is replicated. A log that nobody reads must not collect them. */
  highWatermarkAdvanced(highWatermark: number): void {
    const kept = this.#unreplicated.findIndex(({ lastOffset }) => lastOffset >= highWatermark)
    // All at once: after a start without a snapshot they are as many as the log has transactions.
    this.#unreplicated.splice(0, kept < 0 ? this.#unreplicated.length : kept)
  }

  /** First offset of the earliest transaction that is open, or whose marker is not below the high watermark. */
  firstUnstableOffset(highWatermark: number): number | undefined {
    this.highWatermarkAdvanced(highWatermark)
    let first = this.firstOpenOffset
    for (const { firstOffset } of this.#unreplicated)
      if (first === undefined || firstOffset < first) first = firstOffset
    return first
  }

  /** First offset of the earliest open transaction. */
  get firstOpenOffset(): number | undefined {
    // Transactions open in offset order, and a Map keeps the order of insertion.
    for (const offset of this.#open.values()) return offset
    return undefined
  }

  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    return this.#open.has(producerId) && this.#producers.get(producerId)?.epoch === producerEpoch
  }

  /** Forgets producers that wrote nothing for so long, never one with an open transaction. */
  expire(now: number, expirationMs: number): number {
    let expired = 0
    for (const entry of this.#producers.values()) {
      if (entry.currentTxnFirstOffset >= 0 || now - entry.lastSeen < expirationMs) continue
      this.#producers.delete(entry.producerId)
      expired++
    }
    return expired
  }
}

function checkSequence(
  entry: ProducerEntry | undefined,
  batch: RecordBatchView,
  requiresVerification: boolean,
): Refusal | undefined {
  const first = batch.baseSequence
  const refuse = (last: string): Refusal => ({
    error: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    message: `producer ${batch.producerId} epoch ${batch.producerEpoch} sent sequence ${first}, ${last}`,
  })
  if (entry === undefined) {
    return requiresVerification && first !== 0 ? refuse("the log knows nothing of it and expects 0") : undefined
  }
  if (batch.producerEpoch !== entry.epoch) return first === 0 ? undefined : refuse("a new epoch starts at 0")
  return isInSequence(entry.lastSequence, first) ? undefined : refuse(`the last one here is ${entry.lastSequence}`)
}

function staleEpoch(batch: RecordBatchView, current: number): Refusal {
  return {
    error: ErrorCode.INVALID_PRODUCER_EPOCH,
    message: `producer ${batch.producerId} has epoch ${current} here, the batch carries ${batch.producerEpoch}`,
  }
}
