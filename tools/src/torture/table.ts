/**
 * Writers of a compacted topic, one plain and one in transactions of which some are aborted: each has keys of its own, which
 * it overwrites and now and then deletes. In the end the topic must hold the last committed value of every key, and once it
 * is cleaned nothing else. The checks are the simulation's.
 */
import type { KafkaClient, Producer } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { cleanedTable } from "@millrace/simulation/checker/cleaned-table"
import { latestValues, type TableRow, type Update } from "@millrace/simulation/checker/latest-values"
import { readRecords } from "@millrace/simulation/workload/read-log"

const KEYS = 50
const TOMBSTONE_CHANCE = 0.1
const ABORT_CHANCE = 0.2
const TRANSACTION_UPDATES_MAX = 20
const PAUSE_MS = 20
const FILLER = "filler"
const FILL_MS = 1_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Small segments that are compacted as soon as they are closed. */
export const TABLE_CONFIGS = {
  "cleanup.policy": "compact",
  "segment.ms": "3000",
  "min.cleanable.dirty.ratio": "0.01",
  "delete.retention.ms": "1000",
}

type Written = Update & { readonly key: string }

export class Table {
  readonly #client: KafkaClient
  readonly #brokers: string
  readonly #topic: string
  readonly #partitions: number
  readonly #updates = new Map<string, Written[]>()
  #stopped = false
  commits = 0

  constructor(client: KafkaClient, brokers: string, topic: string, partitions: number) {
    this.#client = client
    this.#brokers = brokers
    this.#topic = topic
    this.#partitions = partitions
  }

  get updates(): number {
    return [...this.#updates.values()].reduce((sum, { length }) => sum + length, 0)
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    await Promise.all([this.#write(), this.#transact()])
  }

  /** Findings, once the topic is cleaned or the time for it is over. */
  async check(msMax: number, client: KafkaClient = this.#client): Promise<string[]> {
    const deadline = performance.now() + msMax
    await using producer = client.producer({ acks: "all" })
    let leftOver: string[]
    do {
      // Segments roll as long as something is written.
      for (let partition = 0; partition < this.#partitions; partition++) {
        await producer.send({
          topic: this.#topic,
          partition,
          key: encoder.encode(FILLER),
          value: encoder.encode(FILLER),
        })
      }
      await pause(FILL_MS)
      leftOver = cleanedTable(this.#updates, await this.#rows("read_uncommitted"))
    } while (leftOver.length > 0 && performance.now() < deadline)
    const latest = latestValues(this.#updates, await this.#rows("read_committed"), Infinity, false)
    return [...latest, ...leftOver.map((what) => `${this.#topic} is not cleaned: ${what}`)]
  }

  async #rows(isolation: "read_committed" | "read_uncommitted"): Promise<TableRow[][]> {
    const rows = await readRecords(
      nodeHost,
      this.#brokers,
      this.#topic,
      this.#partitions,
      isolation,
      (record) => {
        const value = record.value()
        return { key: decoder.decode(record.key()!), value: value && decoder.decode(value) }
      },
      true,
    )
    return rows.map((list) => list.filter(({ key }) => key !== FILLER))
  }

  async #write(): Promise<void> {
    const producer = this.#client.producer({ acks: "all", lingerMs: 2, deliveryTimeoutMs: 300_000 })
    const sending = new Set<Promise<void>>()
    while (!this.#stopped) {
      const update = this.#next("plain")
      const sent = this.#send(producer, update).then(() => settle([update], "committed"))
      sending.add(sent)
      void sent.finally(() => sending.delete(sent))
      await pause(PAUSE_MS)
    }
    await Promise.all(sending)
    await producer.close()
  }

  async #transact(): Promise<void> {
    // The last one must be known to be committed, or nobody knew what to expect.
    for (let isCertain = false; !this.#stopped || !isCertain;) {
      const producer = this.#client.producer({ transactionalId: this.#topic, transactionTimeoutMs: 30_000 })
      try {
        await producer.initTransactions()
        while (!this.#stopped || !isCertain) {
          isCertain = false
          isCertain = await this.#commit(producer)
          await pause(PAUSE_MS)
        }
      } catch {
        await pause(FILL_MS)
      }
      await producer.close().catch(() => {})
    }
  }

  async #commit(producer: Producer): Promise<boolean> {
    const count = 1 + Math.floor(Math.random() * TRANSACTION_UPDATES_MAX)
    const updates = Array.from({ length: count }, () => this.#next("transactional"))
    settle(updates, "aborted")
    producer.beginTransaction()
    const sending = updates.map((update) => this.#send(producer, update))
    if (Math.random() < ABORT_CHANCE) {
      await Promise.allSettled(sending)
      await producer.abortTransaction()
      return false
    }
    await Promise.all(sending)
    settle(updates, "unknown")
    await producer.commitTransaction()
    settle(updates, "committed")
    this.commits++
    return true
  }

  async #send(producer: Producer, { key, value }: Written): Promise<void> {
    const partition = key.length % this.#partitions
    const bytes = value === null ? null : encoder.encode(value)
    await producer.send({ topic: this.#topic, partition, key: encoder.encode(key), value: bytes })
  }

  #next(writer: string): Written {
    const key = `${writer}-${"k".repeat(Math.floor(Math.random() * this.#partitions))}-${Math.floor(Math.random() * KEYS)}`
    let updates = this.#updates.get(key)
    if (updates === undefined) this.#updates.set(key, (updates = []))
    const value = Math.random() < TOMBSTONE_CHANCE ? null : `${key}=${updates.length}`
    const update: Written = { key, value, state: "unknown", settledAt: 0 }
    updates.push(update)
    return update
  }
}

function settle(updates: readonly Update[], state: Update["state"]): void {
  for (const update of updates) update.state = state
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
