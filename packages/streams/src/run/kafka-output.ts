/**
 * The transactional output over the client's producer: one per worker, one transaction at a time, begun by what is
 * written first.
 */
import { type GroupMetadata, type Producer, TransactionAbortable } from "@millrace/client"
import type { Headers } from "../dsl/record.ts"
import type { CommittableOffset } from "../task/task.ts"
import type { PartitionCounts } from "../topology/partitions.ts"
import type { TransactionalOutput } from "./ports.ts"

export interface KafkaOutputOptions {
  readonly makeProducer: () => Producer
  readonly groupMetadata: () => GroupMetadata
  readonly partitions: PartitionCounts
}

export class ExactlyOnceOutput implements TransactionalOutput {
  readonly #options: KafkaOutputOptions
  #producer: Producer
  #isOpen = false
  /** The producer must be replaced before anything can be written. */
  #isBroken = false
  #hasSpace = true

  constructor(options: KafkaOutputOptions) {
    this.#options = options
    this.#producer = options.makeProducer()
  }

  /** Takes the transactional id over and ends what an earlier start of this process left open. */
  async start(): Promise<void> {
    await this.#producer.initTransactions()
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: Headers,
  ): void {
    this.#begin()
    this.#hasSpace = this.#producer.append(topic, partition, timestamp, key, value, headers)
  }

  #begin(): void {
    if (this.#isOpen) return
    if (this.#isBroken)
      throw new TransactionAbortable("the producer is to be replaced: its last transaction has no end yet")
    this.#producer.beginTransaction()
    this.#isOpen = true
  }

  /** A transaction is open in the cluster, or about to be. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  partitionCount(topic: string): number {
    return this.#options.partitions.get(topic) ?? 1
  }

  /** Waits while the producer holds more than it should. */
  async waitForSpace(): Promise<void> {
    if (this.#hasSpace) return
    await this.#producer.waitForSpace()
    this.#hasSpace = true
  }

  async flush(): Promise<void> {
    await this.#producer.flush()
  }

  async sendOffsets(offsets: readonly CommittableOffset[]): Promise<void> {
    this.#begin()
    await this.#producer.sendOffsetsToTransaction(offsets, this.#options.groupMetadata())
  }

  async commit(): Promise<void> {
    await this.#producer.commitTransaction()
    this.#isOpen = false
  }

  /** A producer that cannot even abort is replaced: its successor's start ends the transaction. */
  async abort(): Promise<void> {
    if (this.#isBroken) return await this.recover()
    if (!this.#isOpen) return
    try {
      await this.#producer.abortTransaction()
      this.#isOpen = false
    } catch {
      await this.recover()
    }
  }

  async recover(): Promise<void> {
    this.#isBroken = true
    this.#isOpen = false
    this.#hasSpace = true
    await this.#producer.close().catch(() => {})
    this.#producer = this.#options.makeProducer()
    await this.#producer.initTransactions()
    this.#isBroken = false
  }

  async close(): Promise<void> {
    await this.#producer.close()
  }
}

/**
 * The same calls without transactions: offsets are committed once everything before them is acknowledged. An abort takes
 * nothing back; what it wrote is written again.
 */
export class AtLeastOnceOutput implements TransactionalOutput {
  readonly #producer: Producer
  readonly #partitions: PartitionCounts
  readonly #commitOffsets: (offsets: readonly CommittableOffset[]) => Promise<void>
  #offsets: readonly CommittableOffset[] = []
  #hasSpace = true

  constructor(
    producer: Producer,
    partitions: PartitionCounts,
    commitOffsets: (offsets: readonly CommittableOffset[]) => Promise<void>,
  ) {
    this.#producer = producer
    this.#partitions = partitions
    this.#commitOffsets = commitOffsets
  }

  async start(): Promise<void> {}

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: Headers,
  ): void {
    this.#hasSpace = this.#producer.append(topic, partition, timestamp, key, value, headers)
  }

  readonly isOpen = false

  partitionCount(topic: string): number {
    return this.#partitions.get(topic) ?? 1
  }

  async waitForSpace(): Promise<void> {
    if (this.#hasSpace) return
    await this.#producer.waitForSpace()
    this.#hasSpace = true
  }

  async flush(): Promise<void> {
    await this.#producer.flush()
  }

  async sendOffsets(offsets: readonly CommittableOffset[]): Promise<void> {
    this.#offsets = offsets
  }

  async commit(): Promise<void> {
    await this.#commitOffsets(this.#offsets)
    this.#offsets = []
  }

  async abort(): Promise<void> {
    this.#offsets = []
  }

  async recover(): Promise<void> {}

  async close(): Promise<void> {
    await this.#producer.close()
  }
}

export type WorkerOutput = ExactlyOnceOutput | AtLeastOnceOutput
