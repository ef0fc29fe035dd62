/**
 * The producer: records in, batches out, idempotent unless told otherwise, transactional with a `transactionalId`.
 *
 * `append` is the hot path: it encodes into a batch and answers at once. What went wrong shows in `flush`, in
 * `commitTransaction`, and in the promise of `send` for those who used that.
 */
import type { RecordHeaderInput } from "@millrace/protocol/record/builder"
import type { Cluster } from "../cluster.ts"
import { BufferExhausted, ClosedError, IllegalStateError, TransactionAborted } from "../errors.ts"
import { Accumulator } from "./accumulator.ts"
import type { ProducerBatch, RecordMetadata, RecordOutcome } from "./batch.ts"
import { type ProducerOptions, type ResolvedProducerOptions, resolveProducerOptions } from "./options.ts"
import { DefaultPartitioner, type Partitioner } from "./partitioner.ts"
import { Sender } from "./sender.ts"
import { type GroupMetadata, type TopicPartitionOffset, Transactions } from "./transactions.ts"

export interface ProducerRecord {
  readonly topic: string
  readonly partition?: number
  readonly key?: Uint8Array | string | null
  readonly value: Uint8Array | string | null
  readonly timestamp?: number
  readonly headers?: readonly RecordHeaderInput[]
}

/** A record of a topic whose partitions are not known yet. */
interface Unassigned {
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeaderInput[] | undefined
  readonly outcome: RecordOutcome | undefined
}

interface Flusher {
  readonly batches: Set<ProducerBatch>
  resolve(): void
}

export class Producer {
  readonly #cluster: Cluster
  readonly #options: ResolvedProducerOptions
  readonly #accumulator: Accumulator
  readonly #sender: Sender
  readonly #transactions: Transactions | undefined
  readonly #partitioner: Partitioner
  readonly #unassigned = new Map<string, Unassigned[]>()
  #unassignedBytes = 0
  readonly #resolving = new Set<Promise<void>>()
  readonly #flushers = new Set<Flusher>()
  readonly #spaceWaiters: (() => void)[] = []
  #failure: { readonly error: unknown } | undefined
  #closed = false
  #sentRecords = 0

  constructor(cluster: Cluster, options: ProducerOptions = {}) {
    const resolved = resolveProducerOptions(options)
    this.#cluster = cluster
    this.#options = resolved
    const { transactionalId } = resolved
    cluster.telemetry?.describe(transactionalId === undefined ? {} : { transactional_id: transactionalId })
    cluster.telemetry?.add(() => [
      { name: "org.apache.kafka.producer.record.send.total", type: "sum", value: this.#sentRecords },
    ])
    this.#partitioner = options.partitioner ?? new DefaultPartitioner(cluster.env.random)
    const transactional = resolved.transactionalId !== undefined
    this.#accumulator = new Accumulator({ ...resolved, transactional }, (topic, partition) =>
      this.#partitioner.onBatchClosed?.(topic, partition),
    )
    const transactions = transactional
      ? new Transactions(cluster, { ...resolved, transactionalId: resolved.transactionalId! }, () => {
          this.#dropIfFailed()
          this.#sender.wake()
        })
      : undefined
    this.#transactions = transactions
    const gate = {
      get produceCap() {
        return transactions?.produceCap ?? Infinity
      },
      get retries() {
        return (
          transactions === undefined || transactions.state.phase === "open" || transactions.state.phase === "committing"
        )
      },
      admits: (queue: { readonly topic: string; readonly partition: number }) =>
        transactions === undefined || transactions.admits(queue.topic, queue.partition),
      failed: (error: unknown, sequenceLost: boolean) => {
        transactions?.fail(error, sequenceLost)
      },
      fenced: (error: unknown) => transactions?.state.fatal(error),
    }
    const senderOptions = {
      ...resolved,
      acks: resolved.acks === "all" ? (-1 as const) : (1 as const),
      transactionalId: resolved.transactionalId ?? null,
      requestTimeoutMs: cluster.env.requestTimeoutMs,
    }
    this.#sender = new Sender(cluster, this.#accumulator, senderOptions, gate, (batch, error) =>
      this.#released(batch, error),
    )
  }

  /** Bytes of records that have no outcome yet. */
  get bufferedBytes(): number {
    return this.#accumulator.bufferedBytes + this.#unassignedBytes
  }

  /**
   * Queues a record; partition -1 lets the partitioner choose. Key and value are copied before it returns (unless the
   * topic's partitions are not known yet). Answers false when more is buffered than `bufferMemory`: await
   * `waitForSpace()` then. `outcome` is told what became of it, before `flush` is done: without a promise for each record.
   */
  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: readonly RecordHeaderInput[],
    outcome?: RecordOutcome,
  ): boolean {
    this.#append(topic, partition, timestamp, key, value, headers, outcome)
    return !this.#isFull
  }

  /** Queues a record and resolves when it is in the log. */
  async send(record: ProducerRecord): Promise<RecordMetadata> {
    if (this.#isFull) await this.waitForSpace()
    const { promise, resolve, reject } = Promise.withResolvers<RecordMetadata>()
    const timestamp = record.timestamp ?? this.#cluster.env.clock.now()
    const [key, value] = [bytesOf(record.key ?? null), bytesOf(record.value)]
    this.#append(record.topic, record.partition ?? -1, timestamp, key, value, record.headers, { resolve, reject })
    return promise
  }

  /** Resolves when there is room for more records. */
  waitForSpace(): Promise<void> {
    if (!this.#isFull) return Promise.resolve()
    return new Promise((resolve) => this.#spaceWaiters.push(resolve))
  }

  get #isFull(): boolean {
    return this.bufferedBytes >= this.#options.bufferMemory
  }

  #resumeIfSpace(): void {
    if (!this.#isFull) for (const resume of this.#spaceWaiters.splice(0)) resume()
  }

  /** Sends everything queued and waits for its outcome; rejects with the first failure since the last flush. */
  async flush(): Promise<void> {
    await this.#settle()
    const failure = this.#failure
    this.#failure = undefined
    if (failure) throw failure.error
    // What was dropped because its transaction had failed has no failure of its own.
    this.#transactions?.state.throwIfFailed("flush")
  }

  /** Takes over the transactional id: fences earlier producers of it and ends what they left open. */
  async initTransactions(): Promise<void> {
    const transactions = this.#transactional("initTransactions")
    transactions.state.requireInitializable()
    await this.#settle()
    const identity = await transactions.initialize()
    this.#accumulator.setIdentity(identity, true)
    this.#failure = undefined
  }

  beginTransaction(): void {
    this.#transactional("beginTransaction").state.begin()
    this.#failure = undefined
  }

  /** Commits consumed offsets with the transaction, as the member that `groupMetadata` describes. */
  sendOffsetsToTransaction(offsets: readonly TopicPartitionOffset[], groupMetadata: GroupMetadata): Promise<void> {
    return this.#transactional("sendOffsetsToTransaction").sendOffsets(offsets, groupMetadata)
  }

  /**
   * Waits for every record, then commits. Rejects with `TransactionAbortable` (abort it), `ProducerFenced` or
   * `ProducerFatal` (close the producer), or `CommitOutcomeUnknown` (initialise anew and look).
   */
  async commitTransaction(): Promise<void> {
    const transactions = this.#transactional("commitTransaction")
    transactions.state.requireOpen("commitTransaction")
    await this.#settle()
    transactions.state.throwIfFailed("commitTransaction")
    await transactions.commit()
    this.#adoptIdentity(transactions)
  }

  /** Drops what was not sent, waits for what was, and aborts. */
  async abortTransaction(): Promise<void> {
    const transactions = this.#transactional("abortTransaction")
    transactions.state.startAbort()
    this.#drop(new TransactionAborted("the record's transaction was aborted before it was sent"))
    await this.#settle()
    this.#failure = undefined
    await transactions.abort()
    this.#adoptIdentity(transactions)
  }

  /** Sends what is queued, then closes. An open transaction is left to its timeout, or to the next producer. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      const phase = this.#transactions?.state.phase
      if (phase === undefined) await this.#settle()
    } finally {
      this.#drop(new ClosedError("the producer was closed"))
      this.#sender.close()
      await this.#cluster.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  readonly #now = (): number => this.#cluster.env.clock.monotonic()

  #append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeaderInput[] | undefined,
    outcome: RecordOutcome | undefined,
  ): void {
    if (this.#closed) throw new ClosedError("the producer is closed")
    this.#transactions?.state.requireOpen("append")
    let target = partition
    if (target < 0) {
      const count = this.#cluster.metadata.topic(topic)?.partitions.length ?? 0
      if (count === 0 || this.#unassigned.has(topic)) {
        return this.#hold(topic, { timestamp, key, value, headers, outcome })
      }
      target = this.#partitioner.partition(topic, key, value, count)
    }
    const batch = this.#accumulator.append(topic, target, timestamp, key, value, headers, this.#now)
    if (outcome) batch.tell(outcome, timestamp)
    if (batch.recordCount === 1 || batch.closed) this.#sender.wake()
  }

  /** Keeps a record until its topic's partitions are known. */
  #hold(topic: string, record: Unassigned): void {
    const size = (record.key?.length ?? 0) + (record.value?.length ?? 0) + 100
    if (this.#unassignedBytes + size > this.#options.bufferMemoryMax) {
      throw new BufferExhausted(
        `${this.#unassignedBytes} bytes wait for the partitions of topic ${topic}, bufferMemoryMax is ` +
          `${this.#options.bufferMemoryMax}: await producer.waitForSpace() before appending more, or raise it`,
      )
    }
    this.#unassignedBytes += size
    const held = this.#unassigned.get(topic)
    if (held) {
      held.push(record)
      return
    }
    this.#unassigned.set(topic, [record])
    const resolving = this.#cluster.topic(topic).then(
      () => this.#assign(topic),
      (error: unknown) => this.#refuse(topic, error),
    )
    this.#resolving.add(resolving)
    resolving.finally(() => this.#resolving.delete(resolving))
  }

  #takeHeld(topic: string): Unassigned[] {
    const held = this.#unassigned.get(topic) ?? []
    this.#unassigned.delete(topic)
    for (const { key, value } of held) this.#unassignedBytes -= (key?.length ?? 0) + (value?.length ?? 0) + 100
    return held
  }

  #assign(topic: string): void {
    for (const { timestamp, key, value, headers, outcome } of this.#takeHeld(topic)) {
      try {
        this.#append(topic, -1, timestamp, key, value, headers, outcome)
      } catch (error) {
        this.#failure ??= { error }
        outcome?.reject(error)
      }
    }
    this.#resumeIfSpace()
  }

  #refuse(topic: string, error: unknown): void {
    this.#failure ??= { error }
    this.#transactions?.fail(error, false)
    for (const { outcome } of this.#takeHeld(topic)) outcome?.reject(error)
    this.#dropIfFailed()
    this.#resumeIfSpace()
  }

  /** Waits until everything that is queued now has an outcome. */
  async #settle(): Promise<void> {
    if (this.#resolving.size > 0) await Promise.all(this.#resolving)
    const batches = new Set<ProducerBatch>()
    for (const queue of this.#accumulator.active()) {
      for (const list of [queue.ready, queue.inFlight, queue.retries]) for (const batch of list) batches.add(batch)
    }
    if (batches.size === 0) return
    await new Promise<void>((resolve) => {
      this.#flushers.add({ batches, resolve })
      this.#accumulator.flushing = true
      this.#sender.wake()
    })
  }

  #released(batch: ProducerBatch, error: unknown): void {
    if (error === undefined) this.#sentRecords += batch.recordCount
    if (error !== undefined && !(error instanceof TransactionAborted)) {
      this.#failure ??= { error }
      this.#dropIfFailed()
    }
    for (const flusher of this.#flushers) {
      flusher.batches.delete(batch)
      if (flusher.batches.size > 0) continue
      this.#flushers.delete(flusher)
      if (this.#flushers.size === 0) this.#accumulator.flushing = false
      flusher.resolve()
    }
    this.#resumeIfSpace()
  }

  /** Once its transaction has failed, nothing that is still queued can matter. */
  #dropIfFailed(): void {
    const state = this.#transactions?.state
    if (!state || (state.phase !== "abortable" && state.phase !== "fatal")) return
    this.#drop(new TransactionAborted("the record's transaction had failed before it was sent", { cause: state.error }))
  }

  #drop(error: unknown): void {
    for (const topic of [...this.#unassigned.keys()])
      for (const { outcome } of this.#takeHeld(topic)) outcome?.reject(error)
    for (const batch of this.#accumulator.drop()) {
      if (batch.isSealed) this.#transactions?.fail(error, true)
      this.#sender.release(batch, error)
    }
  }

  #adoptIdentity(transactions: Transactions): void {
    const { id, epoch } = this.#accumulator.identity
    const { identity } = transactions
    if (identity.id !== id || identity.epoch !== epoch) this.#accumulator.setIdentity(identity, true)
  }

  #transactional(what: string): Transactions {
    if (this.#closed) throw new ClosedError("the producer is closed")
    if (!this.#transactions) throw new IllegalStateError(`${what}: the producer has no transactionalId`)
    return this.#transactions
  }
}

function bytesOf(value: Uint8Array | string | null): Uint8Array | null {
  return typeof value === "string" ? Buffer.from(value, "utf8") : value
}
