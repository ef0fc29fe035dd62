/**
 * What the runtime reads of a cluster besides its inputs, over the client: committed offsets, ends, changelogs.
 */
import { type Admin, type KafkaClient, OffsetSpec } from "@millrace/client"
import { RecordReader } from "@millrace/protocol/record/record"
import { type ClusterReader, type CommittedOffset, partitionName, type TopicPartition } from "./ports.ts"

/** What a restore waits for at a time. */
const RESTORE_POLL_MS = 500
const RESTORE_POLL_RECORDS = 50_000

export class KafkaReader implements ClusterReader {
  readonly #client: KafkaClient
  readonly #admin: Admin
  readonly #groupId: string
  readonly #topicIds: ReadonlyMap<string, string>
  readonly #isolation: "read_committed" | "read_uncommitted"
  readonly #signal: AbortSignal

  constructor(options: {
    readonly client: KafkaClient
    readonly admin: Admin
    readonly groupId: string
    readonly topicIds: ReadonlyMap<string, string>
    readonly isolation: "read_committed" | "read_uncommitted"
    /** Ends reads that are under way. */
    readonly signal: AbortSignal
  }) {
    this.#client = options.client
    this.#admin = options.admin
    this.#groupId = options.groupId
    this.#topicIds = options.topicIds
    this.#isolation = options.isolation
    this.#signal = options.signal
  }

  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, CommittedOffset>> {
    if (partitions.length === 0) return new Map()
    const listed = await this.#admin.listGroupOffsets(this.#groupId, { partitions, requireStable: true })
    return new Map(listed.filter(({ offset }) => offset >= 0).map((entry) => [partitionName(entry), entry]))
  }

  beginningOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return this.#list(partitions, OffsetSpec.earliest, "read_uncommitted")
  }

  endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return this.#list(partitions, OffsetSpec.latest, "read_uncommitted")
  }

  /** Where committed records end: what a consumer of ours can reach now. */
  readableEnds(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return this.#list(partitions, OffsetSpec.latest, this.#isolation)
  }

  async #list(
    partitions: readonly TopicPartition[],
    timestamp: number,
    isolation: "read_committed" | "read_uncommitted",
  ): Promise<ReadonlyMap<string, number>> {
    if (partitions.length === 0) return new Map()
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }))
    const listed = await this.#admin.listOffsets(queries, { isolation })
    return new Map(listed.map((entry) => [partitionName(entry), entry.offset]))
  }

  async topicId(topic: string): Promise<string> {
    return this.#topicIds.get(topic) ?? topic
  }

  async read(
    partition: TopicPartition,
    from: number,
    end: number,
    sink: (key: Uint8Array | null, value: Uint8Array | null, timestamp: number) => void,
    onPosition?: (position: number) => Promise<void>,
  ): Promise<number> {
    let position = from
    if (position >= end) return position
    await using consumer = this.#client.consumer({
      isolation: this.#isolation,
      autoOffsetReset: "earliest",
      maxPollRecords: RESTORE_POLL_RECORDS,
    })
    consumer.assign([partition])
    consumer.seek(partition, from)
    while (position < end) {
      this.#signal.throwIfAborted()
      for (const fetched of await consumer.poll(RESTORE_POLL_MS)) {
        for (const batch of fetched.batches) {
          const reader = new RecordReader(batch)
          while (reader.next()) if (reader.offset >= position) sink(reader.key(), reader.value(), reader.timestamp)
        }
        position = fetched.nextOffset
      }
      await onPosition?.(position)
    }
    return position
  }
}
