/**
 * Reads one topic in a group and writes every value to another, a batch a transaction, exactly once. Some transactions
 * are aborted on purpose after writing values that nobody may ever see.
 */
import { CommitOutcomeUnknown, type KafkaClient, ProducerFenced } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { type GroupProtocol, type GroupReader, groupReader } from "@millrace/simulation/workload/consumer-member"

const decoder = new TextDecoder()
const encoder = new TextEncoder()
const ABORT_CHANCE = 0.15
const POLL_MS = 200

export interface CopierOptions {
  readonly name: string
  readonly brokers: string
  readonly group: string
  readonly protocol: GroupProtocol
  readonly source: string
  readonly target: string
  /** Of a value that was read from a partition. */
  readonly targetPartition: (value: string, partition: number) => number
}

export class Copier {
  readonly #client: KafkaClient
  readonly #options: CopierOptions
  readonly #aborted: { add(value: string): unknown }
  #stopped = false
  commits = 0
  aborts = 0
  unknown = 0
  fenced = 0
  copied = 0

  /** `aborted` is told every value that is written only to be aborted. */
  constructor(client: KafkaClient, options: CopierOptions, aborted: { add(value: string): unknown }) {
    this.#client = client
    this.#options = options
    this.#aborted = aborted
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      // A producer that failed is never used again: its successor with the same id fences it, and finishes what it left.
      const producer = this.#client.producer({
        transactionalId: this.#options.name,
        lingerMs: 2,
        transactionTimeoutMs: 30_000,
      })
      const { brokers, group, protocol } = this.#options
      const clientOptions = { host: nodeHost, brokers, clientId: "torture" }
      const consumer = groupReader(this.#client, clientOptions, protocol, {
        groupId: group,
        isolation: "read_committed",
        autoOffsetReset: "earliest",
        sessionTimeoutMs: 10_000,
      })
      try {
        await producer.initTransactions()
        consumer.subscribe([this.#options.source])
        while (!this.#stopped) await this.#turn(producer, consumer)
      } catch (error) {
        if (error instanceof CommitOutcomeUnknown) this.unknown++
        else if (error instanceof ProducerFenced) this.fenced++
        else this.aborts++
        this.lastError = String(error)
        await pause(100)
      } finally {
        await consumer.close().catch(() => {})
        await producer.close().catch(() => {})
      }
    }
  }

  lastError = ""

  async #turn(producer: ReturnType<KafkaClient["producer"]>, consumer: GroupReader): Promise<void> {
    const fetched = await consumer.poll(POLL_MS)
    if (fetched.length === 0) return
    const abort = Math.random() < ABORT_CHANCE
    producer.beginTransaction()
    let records = 0
    const offsets = []
    for (const part of fetched) {
      const cursor = part.cursor()
      while (cursor.next()) {
        const value = decoder.decode(cursor.record.value()!)
        const written = abort ? `aborted-${value}` : value
        if (abort) this.#aborted.add(written)
        const bytes = encoder.encode(written)
        producer.append(
          this.#options.target,
          this.#options.targetPartition(value, part.partition),
          cursor.record.timestamp,
          bytes,
          bytes,
        )
        records++
      }
      offsets.push({ topic: part.topic, partition: part.partition, offset: part.nextOffset })
    }
    if (abort) {
      await producer.flush()
      await producer.abortTransaction()
      this.aborts++
      // Backwards: a poll may answer several pieces of one partition, and reading goes on at the first.
      for (const part of fetched.toReversed()) consumer.seek(part, part.startOffset)
      return
    }
    await producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata())
    await producer.commitTransaction()
    this.commits++
    this.copied += records
  }
}

/** Values over partitions, each always to the same. */
export function spread(text: string, partitions: number): number {
  let value = 0
  for (let index = 0; index < text.length; index++) value = (Math.imul(value, 31) + text.charCodeAt(index)) >>> 0
  return value % partitions
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
