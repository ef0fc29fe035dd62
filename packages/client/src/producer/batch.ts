/**
 * One record batch on its way: open while records are appended, closed with its producer state when it is first taken
 * to be sent, then the same bytes on every attempt.
 *
 * The buffer belongs to the batch from the first append until its outcome is known.
 */
import { invariant } from "@millrace/host"
import { RecordBatchView } from "@millrace/protocol/record/batch"
import { RecordBatchBuilder, type RecordBatchOptions, type RecordHeaderInput } from "@millrace/protocol/record/builder"
import type { Compression } from "@millrace/protocol/record/compression"

/** Who writes: what InitProducerId gave. `id` -1 is a producer without idempotence. */
export interface ProducerIdentity {
  readonly id: number
  readonly epoch: number
}

export const NO_IDENTITY: ProducerIdentity = { id: -1, epoch: -1 }

/** What `send` resolves with. Offset and append time are -1 when the broker did not say. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
}

/** Who is told what became of one record. */
export interface RecordOutcome {
  resolve(metadata: RecordMetadata): void
  reject(error: unknown): void
}

interface Waiter {
  readonly index: number
  readonly timestamp: number
  readonly outcome: RecordOutcome
}

const NO_BYTES = new Uint8Array(0)

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  /** Monotonic time of the first append. */
  readonly createdAt: number
  /** Position among the batches of its partition; assigned when first taken. */
  order = -1
  baseSequence = -1
  identity: ProducerIdentity = NO_IDENTITY
  attempts = 0
  /** An attempt may have been carried out without our knowing: the batch must never go out under another sequence. */
  maybeAppended = false
  /** Why the last attempt did not work. */
  retryCause: unknown
  closed = false
  readonly #builder: RecordBatchBuilder
  /** The builder reads its options when it builds: the producer state is not known before. */
  readonly #options: Mutable<RecordBatchOptions>
  #bytes: Uint8Array | undefined
  #waiters: Waiter[] | undefined

  constructor(
    topic: string,
    partition: number,
    createdAt: number,
    options: { readonly compression: Compression; readonly transactional: boolean; readonly buffer: Uint8Array },
  ) {
    this.topic = topic
    this.partition = partition
    this.createdAt = createdAt
    this.#options = { ...options }
    this.#builder = new RecordBatchBuilder(this.#options)
  }

  get recordCount(): number {
    return this.#builder.recordCount
  }

  /** Bytes held: before compression while open, as sent afterwards. */
  get sizeInBytes(): number {
    return this.#bytes?.length ?? this.#builder.sizeInBytes
  }

  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeaderInput[] | undefined,
  ): void {
    if (headers === undefined) this.#builder.append(timestamp, key, value)
    else this.#builder.append(timestamp, key, value, headers)
  }

  /** Of the record that was appended last. */
  tell(outcome: RecordOutcome, timestamp: number): void {
    ;(this.#waiters ??= []).push({ index: this.recordCount - 1, timestamp, outcome })
  }

  /** Gives the batch its producer state. Later calls, after a new identity, rewrite it. */
  seal(identity: ProducerIdentity, baseSequence: number): void {
    this.closed = true
    this.identity = identity
    this.baseSequence = baseSequence
    if (this.#bytes) {
      invariant(!this.maybeAppended, "a batch that may be in the log was given another sequence")
      const view = new RecordBatchView(this.#bytes)
      view.setProducerState(identity.id, identity.epoch, baseSequence)
      view.updateCrc()
      return
    }
    this.#options.producerId = identity.id
    this.#options.producerEpoch = identity.epoch
    this.#options.baseSequence = baseSequence
    this.#bytes = this.#builder.build()
  }

  get isSealed(): boolean {
    return this.#bytes !== undefined
  }

  /** The batch as it goes over the wire. */
  get bytes(): Uint8Array {
    invariant(this.#bytes, "a batch was sent before it was sealed")
    return this.#bytes
  }

  /** What the records were encoded in, once the batch was delivered; it has no bytes any more. */
  takeBuffer(): Uint8Array {
    this.#bytes = NO_BYTES
    return this.#builder.takeBuffer()
  }

  succeed(baseOffset: number, logAppendTime: number): void {
    const waiters = this.#waiters
    if (!waiters) return
    const { topic, partition } = this
    for (const { index, timestamp, outcome } of waiters) {
      const offset = baseOffset < 0 ? -1 : baseOffset + index
      outcome.resolve({ topic, partition, offset, timestamp: logAppendTime < 0 ? timestamp : logAppendTime })
    }
    this.#waiters = undefined
  }

  fail(error: unknown): void {
    const waiters = this.#waiters
    this.#waiters = undefined
    if (waiters) for (const { outcome } of waiters) outcome.reject(error)
  }
}
