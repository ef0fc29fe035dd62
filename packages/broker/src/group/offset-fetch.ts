/**
 * OffsetFetch of one group, in the shape of v8 and later: what it has committed (rows 46, 81).
 *
 * An unknown group or partition is no error: it has offset -1. With requireStable (KIP-447) a partition with an open
 * transaction answers UNSTABLE_OFFSET_COMMIT; without, the last committed offset.
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import { fetchFault } from "./consumer/offsets.ts"
import type { GroupShardState } from "./group-state.ts"
import type { FetchRequest, FetchedGroup, GroupOutcome } from "./requests.ts"

type FetchedPartition = FetchedGroup["topics"][number]["partitions"][number]

export function offsetFetch(shard: GroupShardState, fetch: FetchRequest, out: GroupOutcome): void {
  const { groupId, topics, memberId, memberEpoch } = fetch.group
  const newGroup = shard.consumerGroups.get(groupId) ?? shard.streamsGroups.get(groupId)
  const errorCode = newGroup === undefined ? ErrorCode.NONE : fetchFault(newGroup, memberId, memberEpoch)
  if (errorCode !== ErrorCode.NONE) return void out.reply(fetch.token, { groupId, topics: [], errorCode })
  const asked = topics ?? everyTopic(shard, groupId)
  out.reply(fetch.token, {
    groupId,
    topics: asked.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((partition) => fetchPartition(shard, fetch, name, topicId, partition)),
    })),
    errorCode: ErrorCode.NONE,
  })
}

function everyTopic(shard: GroupShardState, groupId: string) {
  return [...(shard.offsets.topics(groupId) ?? [])].map(([name, partitions]) => ({
    name,
    topicId: ZERO_UUID,
    partitionIndexes: [...partitions.keys()],
  }))
}

function fetchPartition(
  shard: GroupShardState,
  { group: { groupId }, requireStable }: FetchRequest,
  topic: string,
  topicId: string,
  partitionIndex: number,
): FetchedPartition {
  const none = { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: "" }
  if (requireStable && shard.offsets.isUnstable(groupId, topic, partitionIndex)) {
    return { ...none, errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT }
  }
  const stored = shard.offsets.get(groupId, topic, partitionIndex)
  // The offset of a deleted topic says nothing about its namesake.
  const known = topicId !== ZERO_UUID && stored !== undefined && stored.topicId !== ZERO_UUID
  if (stored === undefined || (known && stored.topicId !== topicId)) return { ...none, errorCode: ErrorCode.NONE }
  return {
    partitionIndex,
    committedOffset: stored.offset,
    committedLeaderEpoch: stored.leaderEpoch,
    metadata: stored.metadata,
    errorCode: ErrorCode.NONE,
  }
}
