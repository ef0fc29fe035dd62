/**
 * The batches of one partition, in order, and their sequences (KIP-98).
 *
 *   ready      not yet sent; the last one may still be open
 *   inFlight   sent, no answer yet
 *   retries    sent before, to be sent again
 *
 * Invariants: batches leave in the order in which they were filled, also across retries; what follows a failed batch
 * waits until everything in flight has been answered, and then goes again in order. A sequence belongs to its batch for
 * good: only batches that are surely not in the log get a new one, and only under a new identity. Until the leader has
 * taken one batch of a producer id, it takes any sequence as the first: so long there is one in flight, lest a second be
 * taken before a first that must go again.
 */
import { addSequence } from "@millrace/protocol/record/batch"
import { NO_IDENTITY, type ProducerBatch, type ProducerIdentity } from "./batch.ts"

export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly ready: ProducerBatch[] = []
  readonly inFlight: ProducerBatch[] = []
  readonly retries: ProducerBatch[] = []
  /** No attempt before this monotonic time. */
  backoffUntil = 0
  identity: ProducerIdentity
  nextSequence = 0
  /** Bytes of the last batch that was closed, uncompressed: a guess at the next one. */
  lastBatchBytes = 0
  /** A sequence was lost: nothing goes out until a new identity comes. */
  poisoned = false
  #order = 0
  #draining = false
  /** The leader knows the producer id: it has answered for a batch of it. */
  #isKnown = false

  constructor(topic: string, partition: number, identity: ProducerIdentity) {
    this.topic = topic
    this.partition = partition
    this.identity = identity
  }

  get isIdle(): boolean {
    return this.ready.length === 0 && this.inFlight.length === 0 && this.retries.length === 0
  }

  /** The batch that records are appended to, if there is one. */
  get open(): ProducerBatch | undefined {
    const last = this.ready.at(-1)
    return last && !last.closed ? last : undefined
  }

  /** Whether `take` would yield. `lingerMs` 0 sends open batches at once. */
  canTake(now: number, lingerMs: number, maxInFlight: number): boolean {
    const limit = this.#isKnown || this.identity === NO_IDENTITY ? maxInFlight : 1
    if (this.poisoned || now < this.backoffUntil || this.inFlight.length >= limit) return false
    if (this.retries.length > 0) return !this.#draining
    const head = this.ready[0]
    // As `nextWakeUp` computes it: a difference may round to just below `lingerMs` at the very moment of the timer.
    return head !== undefined && (head.closed || this.ready.length > 1 || now >= head.createdAt + lingerMs)
  }

  /** Takes the next batch to send; the caller has asked `canTake`. */
  take(): ProducerBatch {
    const batch = this.retries.shift() ?? this.ready.shift()!
    if (batch.order < 0) batch.order = this.#order++
    if (!batch.isSealed || batch.identity !== this.identity) {
      const idempotent = this.identity !== NO_IDENTITY
      batch.seal(this.identity, idempotent ? this.nextSequence : -1)
      if (idempotent) this.nextSequence = addSequence(this.nextSequence, batch.recordCount)
    }
    batch.attempts++
    this.inFlight.push(batch)
    return batch
  }

  /** Whether no earlier batch is still unanswered: an answer about order then means this batch itself. */
  isHead(batch: ProducerBatch): boolean {
    return this.inFlight[0] === batch && !this.retries.some((other) => other.order < batch.order)
  }

  /** Its outcome is known and final. */
  done(batch: ProducerBatch): void {
    if (batch.identity.id === this.identity.id) this.#isKnown = true
    this.#leaveFlight(batch)
  }

  /** It goes again, before everything younger. */
  retry(batch: ProducerBatch, backoffUntil: number): void {
    const at = this.retries.findIndex((other) => other.order > batch.order)
    this.retries.splice(at < 0 ? this.retries.length : at, 0, batch)
    this.backoffUntil = Math.max(this.backoffUntil, backoffUntil)
    this.#draining = true
    this.#leaveFlight(batch)
  }

  /**
   * A new identity after a lost sequence. Answers the batches that may be in the log already: they can neither go again
   * under a new sequence nor be called delivered.
   */
  adopt(identity: ProducerIdentity): ProducerBatch[] {
    const doubtful = this.retries.filter((batch) => batch.maybeAppended)
    const clear = this.retries.filter((batch) => !batch.maybeAppended)
    this.retries.splice(0, this.retries.length, ...clear)
    // Of a later epoch it takes the sequence 0 alone as the first.
    if (identity.id !== this.identity.id) this.#isKnown = false
    this.identity = identity
    this.nextSequence = 0
    this.poisoned = false
    return doubtful
  }

  /** Removes and answers everything that is not in flight. */
  drop(): ProducerBatch[] {
    return [...this.retries.splice(0), ...this.ready.splice(0)]
  }

  /** Removes and answers what is older than `deliveryTimeoutMs` and not in flight. */
  expire(now: number, deliveryTimeoutMs: number): ProducerBatch[] {
    const late = (batch: ProducerBatch) => now >= batch.createdAt + deliveryTimeoutMs
    const expired: ProducerBatch[] = []
    while (this.retries.length > 0 && late(this.retries[0]!)) expired.push(this.retries.shift()!)
    if (this.retries.length > 0) return expired
    while (this.ready.length > 0 && late(this.ready[0]!)) expired.push(this.ready.shift()!)
    return expired
  }

  #leaveFlight(batch: ProducerBatch): void {
    const index = this.inFlight.indexOf(batch)
    if (index >= 0) this.inFlight.splice(index, 1)
    if (this.inFlight.length === 0) this.#draining = false
  }
}
