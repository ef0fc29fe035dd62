/**
 * A compacted topic read as a table: from its beginning to its present end, and on from there at every refresh.
 *
 * The end is that of a reader of uncommitted records, reading is read_committed: a refresh waits until transactions that
 * were open have ended, so that it misses nothing that was committed before it began. Whoever has left a transaction
 * open, by being killed, ends it before it asks for a refresh; otherwise that takes until the transaction's timeout.
 */
import type { Admin, Consumer, KafkaClient, TopicPartition } from "@millrace/client"

const POLL_TIMEOUT_MS = 100

export class TopicLog {
  readonly #client: KafkaClient
  readonly #admin: Admin
  readonly #topic: string
  readonly #apply: (key: Uint8Array | null, value: Uint8Array | null) => void
  #consumer: Consumer | undefined
  #partitions: readonly TopicPartition[] = []
  #refreshing: Promise<void> | undefined

  constructor(
    client: KafkaClient,
    admin: Admin,
    topic: string,
    apply: (key: Uint8Array | null, value: Uint8Array | null) => void,
  ) {
    this.#client = client
    this.#admin = admin
    this.#topic = topic
    this.#apply = apply
  }

  /** Opens the topic, which exists, at its beginning; `refresh` reads. */
  async open(): Promise<void> {
    const [described] = await this.#admin.describeTopics([this.#topic])
    this.#partitions = described!.partitions.map((_, partition) => ({ topic: this.#topic, partition }))
    this.#consumer = this.#client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
    this.#consumer.assign(this.#partitions)
  }

  /** Reads to the end as it is when the call is made. Calls share a reader, one after the other. */
  refresh(): Promise<void> {
    const previous = this.#refreshing ?? Promise.resolve()
    const next = previous.catch(() => undefined).then(() => this.#readToEnd())
    this.#refreshing = next
    return next
  }

  async close(): Promise<void> {
    await this.#refreshing?.catch(() => undefined)
    await this.#consumer?.close()
  }

  async #readToEnd(): Promise<void> {
    const consumer = this.#consumer!
    const ends = await consumer.endOffsets(this.#partitions, { isolation: "read_uncommitted" })
    while (ends.some((end) => (consumer.position(end) ?? 0) < end.offset)) {
      for (const part of await consumer.poll(POLL_TIMEOUT_MS)) {
        part.forEach((record) => this.#apply(record.key(), record.value()))
      }
    }
  }
}
