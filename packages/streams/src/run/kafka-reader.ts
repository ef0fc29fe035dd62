/**
 * What the runtime reads of a cluster besides its inputs, over the client: committed offsets, ends, changelogs.
 */
import { type Admin, OffsetSpec } from "@millrace/client"
import type { ChangelogReader } from "./changelog-reader.ts"
import {
  type ClusterReader,
  type CommittedOffset,
  partitionName,
  type RecordSink,
  type TopicPartition,
} from "./ports.ts"

export class KafkaReader implements ClusterReader {
  readonly #admin: Admin
  readonly #groupId: string
  readonly #topicIds: ReadonlyMap<string, string>
  readonly #isolation: "read_committed" | "read_uncommitted"
  readonly #changelogs: ChangelogReader
  readonly #signal: AbortSignal

  constructor(options: {
    readonly admin: Admin
    readonly groupId: string
    readonly topicIds: ReadonlyMap<string, string>
    readonly isolation: "read_committed" | "read_uncommitted"
    readonly changelogs: ChangelogReader
    /** Ends reads that are under way. */
    readonly signal: AbortSignal
  }) {
    this.#admin = options.admin
    this.#groupId = options.groupId
    this.#topicIds = options.topicIds
    this.#isolation = options.isolation
    this.#changelogs = options.changelogs
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
    sink: RecordSink,
    onPosition?: (position: number) => Promise<void>,
  ): Promise<number> {
    if (from >= end) return from
    const options = { from, isUrgent: true, sink, ...(onPosition && { onPosition }) }
    const follower = this.#changelogs.follow(partition, options)
    try {
      await follower.reaches(end, this.#signal)
      return follower.position
    } finally {
      follower.stop()
    }
  }
}
