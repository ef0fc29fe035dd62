/**
 * Where records wait to be sent: one queue of batches per partition, bounded in bytes. Pure: time is an argument, what
 * to send is an answer.
 *
 * A record is encoded into its batch's buffer at once and not kept otherwise: no object, promise or closure per record.
 */
import { recordBytesMax, type RecordHeaderInput } from "@millrace/protocol/record/builder"
import type { Compression } from "@millrace/protocol/record/compression"
import { BufferExhausted } from "../errors.ts"
import { BatchBuffers } from "./batch-buffers.ts"
import { NO_IDENTITY, ProducerBatch, type ProducerIdentity } from "./batch.ts"
import { PartitionQueue } from "./partition-queue.ts"

export interface AccumulatorOptions {
  /** Bytes at which a batch is closed. */
  readonly batchSize: number
  readonly lingerMs: number
  readonly maxInFlight: number
  readonly deliveryTimeoutMs: number
  /** Bytes above which callers are asked to wait. */
  readonly bufferMemory: number
  /** Bytes above which `append` throws: the caller did not wait. */
  readonly bufferMemoryMax: number
  readonly compression: Compression
  readonly transactional: boolean
}

export class Accumulator {
  readonly options: AccumulatorOptions
  readonly #buffers: BatchBuffers
  #identity: ProducerIdentity = NO_IDENTITY
  readonly #topics = new Map<string, (PartitionQueue | undefined)[]>()
  /** Queues with anything in them, in the order in which they get their turn. */
  #active: PartitionQueue[] = []
  readonly #isActive = new Set<PartitionQueue>()
  #bytes = 0
  #turn = 0
  /** Batches that are not done. */
  #outstanding = 0
  #flushing = false
  #closedHook: ((topic: string, partition: number) => void) | undefined

  constructor(options: AccumulatorOptions, onBatchClosed?: (topic: string, partition: number) => void) {
    this.options = options
    this.#buffers = new BatchBuffers(options.batchSize)
    this.#closedHook = onBatchClosed
  }

  get bufferedBytes(): number {
    return this.#bytes
  }
  get isEmpty(): boolean {
    return this.#outstanding === 0
  }
  get identity(): ProducerIdentity {
    return this.#identity
  }
  /** Sends open batches without waiting for `lingerMs`, until everything present has left. */
  set flushing(value: boolean) {
    this.#flushing = value
  }

  /** Encodes a record into the partition's open batch and answers that batch. The time is asked for with a batch's first. */
  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeaderInput[] | undefined,
    now: () => number,
  ): ProducerBatch {
    const queue = this.queue(topic, partition)
    let batch = queue.open
    const size = batch === undefined || headers ? recordBytesMax(key, value, headers) : quickSize(key, value)
    if (batch !== undefined && batch.sizeInBytes + size > this.options.batchSize) {
      this.#close(queue, batch)
      batch = undefined
    }
    if (this.#bytes + size > this.options.bufferMemoryMax) {
      throw new BufferExhausted(
        `${this.#bytes} bytes wait to be sent, bufferMemoryMax is ${this.options.bufferMemoryMax}: ` +
          "await producer.waitForSpace() before appending more, or raise it",
      )
    }
    if (batch === undefined) {
      batch = new ProducerBatch(topic, partition, now(), {
        compression: this.options.compression,
        transactional: this.options.transactional,
        // By what the partition's last batch took: neither growth by copying nor pages that are never touched.
        buffer: this.#buffers.take(queue.lastBatchBytes, size + BATCH_OVERHEAD_BYTES),
      })
      queue.ready.push(batch)
      this.#outstanding++
      this.#bytes += batch.sizeInBytes
      if (!this.#isActive.has(queue)) {
        this.#isActive.add(queue)
        this.#active.push(queue)
      }
    }
    const before = batch.sizeInBytes
    batch.append(timestamp, key, value, headers)
    this.#bytes += batch.sizeInBytes - before
    if (batch.sizeInBytes >= this.options.batchSize) this.#close(queue, batch)
    return batch
  }

  queue(topic: string, partition: number): PartitionQueue {
    let queues = this.#topics.get(topic)
    if (!queues) this.#topics.set(topic, (queues = []))
    return (queues[partition] ??= new PartitionQueue(topic, partition, this.#identity))
  }

  /** Queues that have anything, each time starting with another one: no partition starves. */
  *active(): Generator<PartitionQueue, void, undefined> {
    if (this.#active.some((queue) => queue.isIdle)) {
      this.#active = this.#active.filter((queue) => !queue.isIdle || !this.#isActive.delete(queue))
    }
    const count = this.#active.length
    const start = count === 0 ? 0 : this.#turn++ % count
    for (let index = 0; index < count; index++) yield this.#active[(start + index) % count]!
  }

  canTake(queue: PartitionQueue, now: number): boolean {
    return queue.canTake(now, this.#flushing ? 0 : this.options.lingerMs, this.options.maxInFlight)
  }

  take(queue: PartitionQueue): ProducerBatch {
    const head = (queue.retries[0] ?? queue.ready[0])!
    const before = head.sizeInBytes
    if (!head.closed) this.#close(queue, head)
    const batch = queue.take()
    this.#bytes += batch.sizeInBytes - before
    return batch
  }

  /** The batch is out of the accumulator's hands, delivered or failed. `queued` batches have left their queue already. */
  release(batch: ProducerBatch, delivered: boolean): void {
    this.queue(batch.topic, batch.partition).done(batch)
    this.#outstanding--
    this.#bytes -= batch.sizeInBytes
    if (delivered) this.#buffers.giveBack(batch.takeBuffer())
  }

  /** When, in monotonic time, something changes without an event: a linger, a backoff or a delivery deadline ends. */
  nextWakeUp(now: number): number | undefined {
    let soonest = Infinity
    for (const queue of this.#active) {
      const first = queue.retries[0] ?? queue.ready[0]
      if (!first) continue
      soonest = Math.min(soonest, first.createdAt + this.options.deliveryTimeoutMs)
      if (queue.backoffUntil > now) soonest = Math.min(soonest, queue.backoffUntil)
      else if (queue.retries.length === 0 && !first.closed && queue.ready.length === 1) {
        const lingerEnd = first.createdAt + this.options.lingerMs
        if (lingerEnd > now) soonest = Math.min(soonest, lingerEnd)
      }
    }
    return soonest === Infinity ? undefined : soonest
  }

  expired(now: number): ProducerBatch[] {
    return this.#active.flatMap((queue) => queue.expire(now, this.options.deliveryTimeoutMs))
  }

  /** Everything that is not in flight, removed from its queue; the caller releases each. */
  drop(): ProducerBatch[] {
    return this.#active.flatMap((queue) => queue.drop())
  }

  /** Whether some queue waits for a new identity and has nothing in flight any more. */
  get wantsIdentity(): boolean {
    return this.#active.some((queue) => queue.poisoned && queue.inFlight.length === 0)
  }

  /**
   * A new identity. New queues take it, poisoned queues adopt it, and `everywhere` (after a transaction's end) all do.
   * Answers the batches that cannot go on under it; they have left their queues.
   */
  setIdentity(identity: ProducerIdentity, everywhere: boolean): ProducerBatch[] {
    this.#identity = identity
    const doubtful: ProducerBatch[] = []
    for (const queues of this.#topics.values()) {
      for (const queue of queues) {
        if (!queue) continue
        const ready = queue.poisoned && queue.inFlight.length === 0
        if (everywhere || ready || queue.identity === NO_IDENTITY) doubtful.push(...queue.adopt(identity))
      }
    }
    return doubtful
  }

  #close(queue: PartitionQueue, batch: ProducerBatch): void {
    batch.closed = true
    queue.lastBatchBytes = batch.sizeInBytes
    this.#closedHook?.(queue.topic, queue.partition)
  }
}

const BATCH_OVERHEAD_BYTES = 61
/** `recordBytesMax` without headers, less its call. */
const quickSize = (key: Uint8Array | null, value: Uint8Array | null): number =>
  36 + (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
