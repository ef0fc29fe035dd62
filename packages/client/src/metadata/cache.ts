/**
 * What is known of the cluster: nodes, topics, leaders. Pure: answers of Metadata go in, the view comes out.
 *
 * Invariants: a partition's leader epoch never goes back while its topic keeps its id (KAFKA-9212: an answer from a
 * broker that lags must not undo what another one told); a new topic id forgets all of the old topic.
 */
import type { Address } from "@millrace/host"

export interface PartitionMetadata {
  readonly partition: number
  /** -1: no leader. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly error: number
}

export interface TopicMetadata {
  readonly name: string
  /** `undefined` from brokers that know no topic ids. */
  readonly topicId: string | undefined
  readonly internal: boolean
  readonly error: number
  /** Index is the partition. */
  readonly partitions: readonly PartitionMetadata[]
}

export interface NodeMetadata {
  readonly id: number
  readonly address: Address
  readonly rack: string | null
}

export interface MetadataAnswer {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly nodes: readonly NodeMetadata[]
  readonly topics: readonly TopicMetadata[]
}

export class MetadataCache {
  #clusterId: string | null = null
  #controllerId = -1
  #nodes = new Map<number, NodeMetadata>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #names = new Map<string, string>()
  /** Grows with every answer that was applied. */
  version = 0

  get clusterId(): string | null {
    return this.#clusterId
  }
  get controllerId(): number {
    return this.#controllerId
  }
  nodes(): Iterable<NodeMetadata> {
    return this.#nodes.values()
  }
  node(id: number): NodeMetadata | undefined {
    return this.#nodes.get(id)
  }
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }
  topics(): Iterable<TopicMetadata> {
    return this.#topics.values()
  }
  topicName(topicId: string): string | undefined {
    return this.#names.get(topicId)
  }
  partition(topic: string, partition: number): PartitionMetadata | undefined {
    return this.#topics.get(topic)?.partitions[partition]
  }

  /** Applies an answer. Topics that it does not mention stay as they are, unless `complete` says it names them all. */
  apply(answer: MetadataAnswer, complete: boolean): void {
    this.version++
    this.#clusterId = answer.clusterId ?? this.#clusterId
    this.#controllerId = answer.controllerId
    if (answer.nodes.length > 0) this.#nodes = new Map(answer.nodes.map((node) => [node.id, node]))
    if (complete) {
      const named = new Set(answer.topics.map((topic) => topic.name))
      for (const name of [...this.#topics.keys()]) if (!named.has(name)) this.#forget(name)
    }
    for (const topic of answer.topics) {
      const known = this.#topics.get(topic.name)
      const merged = known && known.topicId === topic.topicId ? merge(known, topic) : topic
      if (known?.topicId !== undefined && known.topicId !== topic.topicId) this.#names.delete(known.topicId)
      this.#topics.set(topic.name, merged)
      if (topic.topicId !== undefined) this.#names.set(topic.topicId, topic.name)
    }
  }

  /** A broker named the new leader in its error answer (KIP-951). True when that is news. */
  applyLeader(topic: string, partition: number, leader: number, leaderEpoch: number, node?: NodeMetadata): boolean {
    const known = this.#topics.get(topic)
    const current = known?.partitions[partition]
    if (!known || !current || leader < 0 || leaderEpoch <= current.leaderEpoch) return false
    if (node) this.#nodes.set(node.id, node)
    if (!this.#nodes.has(leader)) return false
    const partitions = known.partitions.slice()
    partitions[partition] = { ...current, leader, leaderEpoch, error: 0 }
    this.#topics.set(topic, { ...known, partitions })
    return true
  }

  #forget(name: string): void {
    const id = this.#topics.get(name)?.topicId
    if (id !== undefined) this.#names.delete(id)
    this.#topics.delete(name)
  }
}

function merge(known: TopicMetadata, fresh: TopicMetadata): TopicMetadata {
  if (fresh.error !== 0) return { ...fresh, partitions: known.partitions }
  const partitions = fresh.partitions.map((partition, index) => {
    const old = known.partitions[index]
    return old && old.leaderEpoch > partition.leaderEpoch && partition.leaderEpoch >= 0 ? old : partition
  })
  return { ...fresh, partitions }
}
