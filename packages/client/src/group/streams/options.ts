/**
 * What makes a consumer a member of a streams group (KIP-1071): the broker computes which tasks it runs.
 */
import type { Address } from "@millrace/host"
import type { StreamsGroupStatus } from "@millrace/protocol/streams-status"
import type { TopicPartition } from "../assignor.ts"
import type { StreamsTaskId, StreamsTasks } from "./tasks.ts"
import type { StreamsTopology } from "./topology.ts"

/** How far the state of a task goes here, and how far it could: sums over its changelogs. */
export interface StreamsTaskOffset extends StreamsTaskId {
  readonly offset: number
  readonly endOffset: number
}

/** Who answers queries, and the partitions that are read by its active tasks, and by those that it keeps copies of. */
export interface StreamsEndpoint {
  readonly endpoint: Address
  readonly active: readonly TopicPartition[]
  readonly standby: readonly TopicPartition[]
}

/** None of it is awaited. */
export interface StreamsGroupListener {
  /** What the member runs from now on; before `onAssigned`, in the same poll. */
  onTasks(tasks: StreamsTasks): void
  onEndpoints?(endpoints: readonly StreamsEndpoint[]): void
  /** Told when they change: why no tasks are handed out, or that the application is to stop. */
  onStatuses?(statuses: readonly StreamsGroupStatus[]): void
  /** A topic that tasks read has more partitions than they were laid out for. */
  onTopicGrown?(topic: string, before: number, now: number): void
}

export interface StreamsGroupOptions {
  readonly topology: StreamsTopology
  /** Of all topics that tasks read. */
  readonly partitions: ReadonlyMap<string, number>
  /** Members of one process share its state: it has a task once. */
  readonly processId: string
  /**
   * Default: one of its own each time. A process that was killed and comes back with the id it had is the member that it
   * was, at once. No two processes may have it at the same time.
   */
  readonly memberId?: string
  /** Where its stores can be queried (`application.server`). */
  readonly endpoint?: Address
  readonly clientTags?: Readonly<Record<string, string>>
  /** Asked when the member joins, and as often as the broker wants to know. */
  readonly taskOffsets?: () => Promise<readonly StreamsTaskOffset[]>
  readonly listener: StreamsGroupListener
}
