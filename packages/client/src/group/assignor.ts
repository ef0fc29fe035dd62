/**
 * How partitions are divided among the members of a group: what the group's leader asks a strategy, and what a member
 * tells and learns. User data travels both ways, per member: in the subscription to the leader, in the assignment back.
 */
import type { PartitionMetadata } from "../metadata/cache.ts"

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface GroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  readonly userData: Uint8Array | null
  /** What it held when it joined; empty under the eager protocol. */
  readonly ownedPartitions: readonly TopicPartition[]
  /** Generation of `ownedPartitions`, -1 when not told. */
  readonly generationId: number
  readonly rackId: string | null
}

export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[]
  readonly userData?: Uint8Array | null
}

/** The leader's view of the topics that members subscribe to. */
export interface AssignorCluster {
  /** Undefined when the topic does not exist. */
  partitionCount(topic: string): number | undefined
  partitions(topic: string): readonly PartitionMetadata[]
  /** Of a broker (`broker.rack`), null when it tells none. */
  rack(nodeId: number): string | null
  /** Loads further topics into this view: those that no member subscribes to. */
  load(topics: readonly string[]): Promise<void>
}

/** What the member had last, also when it has given it up to join; nothing after it was lost. */
export interface Previously {
  readonly partitions: readonly TopicPartition[]
  /** In which generation; -1 before the first. */
  readonly generation: number
}

export interface Assignor {
  /** Members agree on a strategy by this name. */
  readonly name: string
  /** "eager" gives everything up before joining, "cooperative" only what moves (KIP-429). */
  readonly protocol: "eager" | "cooperative"
  subscriptionUserData?(topics: readonly string[], previously: Previously): Uint8Array | null
  /** Called on the leader alone. Every member must be in the answer. */
  assign(
    cluster: AssignorCluster,
    members: readonly GroupMember[],
  ): ReadonlyMap<string, MemberAssignment> | Promise<ReadonlyMap<string, MemberAssignment>>
  /** Called on every member with its own part, before `onAssigned`. */
  onAssignment?(partitions: readonly TopicPartition[], userData: Uint8Array | null, generation: number): void
}
