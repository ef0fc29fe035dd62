/**
 * A group's committed offsets: OffsetFetch and OffsetCommit at the group's coordinator.
 *
 * With `requireStable` an offset with an open transaction on it is waited for (KIP-447): the last committed one could be
 * one that a transaction about to commit replaces.
 */
import { ErrorCode, KafkaError } from "@millrace/protocol"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { type Cluster, CoordinatorType } from "../cluster.ts"
import { isRetriableError, kafkaError } from "../errors.ts"
import type { TopicPartition } from "../group/assignor.ts"
import { retrying } from "../network/retry.ts"
import type { GroupMetadata, TopicPartitionOffset } from "../producer/transactions.ts"

export interface CommittedOffset extends TopicPartition {
  /** -1: nothing committed. */
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** The last versions that name topics. */
const OFFSET_FETCH_NAMES = 9
const OFFSET_COMMIT_NAMES = 9
const REQUIRE_STABLE_FLOOR = 7
const MANY_GROUPS_FLOOR = 8

interface Limits {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const limited = (what: string, { timeoutMs, signal }: Limits) => ({
  what,
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
  ...(signal === undefined ? {} : { signal }),
})

/** Offsets of the partitions, in any order; of all partitions that the group has committed when `partitions` is null. */
export function fetchCommitted(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  options: Limits & { readonly requireStable: boolean },
): Promise<CommittedOffset[]> {
  const what = `fetching committed offsets of group ${groupId}`
  const topics =
    partitions &&
    [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, list]) => ({
      name,
      partitionIndexes: list.map(({ partition }) => partition),
    }))
  const { requireStable } = options
  const retriable = (error: unknown) =>
    isRetriableError(error) || (error instanceof KafkaError && error.code === ErrorCode.UNSTABLE_OFFSET_COMMIT)
  return retrying(cluster.env, { ...limited(what, options), retriable }, async () => {
    try {
      const connection = await cluster.coordinator(CoordinatorType.group, groupId)
      const answer = await connection.request(
        OffsetFetch,
        (version) =>
          version >= MANY_GROUPS_FLOOR
            ? { groups: [{ groupId, topics }], requireStable }
            : { groupId, topics, requireStable },
        { cap: OFFSET_FETCH_NAMES, floor: requireStable ? REQUIRE_STABLE_FLOOR : 2 },
      )
      const group = answer.groups[0] ?? answer
      if (group.errorCode !== ErrorCode.NONE) throw kafkaError(group.errorCode, what)
      const offsets: CommittedOffset[] = []
      for (const { name: topic, partitions: list } of group.topics) {
        for (const entry of list) {
          if (entry.errorCode !== ErrorCode.NONE) {
            throw kafkaError(entry.errorCode, `${what}: ${topic}-${entry.partitionIndex}`)
          }
          offsets.push({
            topic,
            partition: entry.partitionIndex,
            offset: entry.committedOffset,
            leaderEpoch: entry.committedLeaderEpoch,
            metadata: entry.metadata,
          })
        }
      }
      return offsets
    } catch (error) {
      cluster.coordinatorFault(CoordinatorType.group, groupId, error)
      throw error
    }
  })
}

/** Commits as a member, or as nobody with generation -1: allowed while the group has no members. */
export function commitOffsets(
  cluster: Cluster,
  group: GroupMetadata,
  offsets: readonly TopicPartitionOffset[],
  options: Limits = {},
): Promise<void> {
  const what = `committing offsets of group ${group.groupId}`
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, list]) => ({
    name,
    partitions: list.map((entry) => ({
      partitionIndex: entry.partition,
      committedOffset: entry.offset,
      committedLeaderEpoch: entry.leaderEpoch ?? -1,
      committedMetadata: entry.metadata ?? "",
    })),
  }))
  const body = {
    groupId: group.groupId,
    generationIdOrMemberEpoch: group.generationId,
    memberId: group.memberId,
    groupInstanceId: group.groupInstanceId,
    topics,
  }
  return retrying(cluster.env, limited(what, options), async () => {
    try {
      const connection = await cluster.coordinator(CoordinatorType.group, group.groupId)
      const answer = await connection.request(OffsetCommit, body, { cap: OFFSET_COMMIT_NAMES })
      for (const topic of answer.topics) {
        for (const { partitionIndex, errorCode } of topic.partitions) {
          if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, `${what}: ${topic.name}-${partitionIndex}`)
        }
      }
    } catch (error) {
      cluster.coordinatorFault(CoordinatorType.group, group.groupId, error)
      throw error
    }
  })
}
