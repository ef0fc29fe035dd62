/**
 * Removal of offsets and groups on request: OffsetDelete, DeleteGroups, and topics that are deleted (row 85).
 *
 * Errors: INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, GROUP_SUBSCRIBED_TO_TOPIC.
 */
import { ErrorCode, errorMessage } from "@millrace/protocol"
import { ConsumerGroup } from "./consumer/group.ts"
import { removeConsumerGroup } from "./consumer/tombstones.ts"
import { removeGroup } from "./expiry.ts"
import type { GroupShardState } from "./group-state.ts"
import type { DeletionRequest, GroupOutcome, OffsetRemovalRequest, TopicsDeletedRequest } from "./requests.ts"
import { StreamsGroup } from "./streams/group.ts"
import { removeStreamsGroup } from "./streams/leave.ts"
import { consumerProtocolType, isSubscribed, subscribedTopics } from "./subscriptions.ts"

export function deleteGroups(shard: GroupShardState, deletion: DeletionRequest, out: GroupOutcome): void {
  out.atomic = false
  const results = [...new Set(deletion.groupIds)].map((groupId) => {
    const errorCode = deleteGroup(shard, groupId, out)
    return { groupId, errorCode, errorMessage: errorCode === ErrorCode.NONE ? null : errorMessage(errorCode) }
  })
  out.reply(deletion.token, results)
}

function deleteGroup(shard: GroupShardState, groupId: string, out: GroupOutcome): ErrorCode {
  const group = shard.consumerGroups.get(groupId) ?? shard.streamsGroups.get(groupId) ?? shard.groups.get(groupId)
  if (group === undefined) return ErrorCode.GROUP_ID_NOT_FOUND
  if (group.state !== "Empty") return ErrorCode.NON_EMPTY_GROUP
  for (const [topic, partition] of shard.offsets.partitionsOf(groupId)) {
    out.records.push({ type: "offset-commit", group: groupId, topic, partition, value: null })
  }
  if (group instanceof ConsumerGroup) removeConsumerGroup(group, out)
  else if (group instanceof StreamsGroup) removeStreamsGroup(group, out)
  else removeGroup(shard, group, out)
  return ErrorCode.NONE
}

export function offsetDelete(shard: GroupShardState, removal: OffsetRemovalRequest, out: GroupOutcome): void {
  const { request, token } = removal
  const { groupId } = request
  const newGroup = shard.consumerGroups.get(groupId) ?? shard.streamsGroups.get(groupId)
  const group = shard.groups.get(groupId)
  const members = group !== undefined && group.state !== "Empty"
  const errorCode =
    groupId === ""
      ? ErrorCode.INVALID_GROUP_ID
      : group === undefined
        ? newGroup === undefined
          ? ErrorCode.GROUP_ID_NOT_FOUND
          : ErrorCode.NONE
        : members && group.protocolType !== consumerProtocolType
          ? ErrorCode.NON_EMPTY_GROUP
          : ErrorCode.NONE
  if (errorCode !== ErrorCode.NONE) {
    out.reply(token, { errorCode, throttleTimeMs: 0, topics: [] })
    return
  }
  const subscribed = members ? subscribedTopics(group) : new Set<string>()
  const topics = request.topics.map(({ name, partitions }) => {
    const inUse = newGroup?.isSubscribed(name) ?? (group !== undefined && isSubscribed(group, subscribed, name))
    return {
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        if (inUse) return { partitionIndex, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC }
        const { offsets } = shard
        if (offsets.get(groupId, name, partitionIndex) ?? offsets.isUnstable(groupId, name, partitionIndex)) {
          out.records.push({
            type: "offset-commit",
            group: groupId,
            topic: name,
            partition: partitionIndex,
            value: null,
          })
        }
        return { partitionIndex, errorCode: ErrorCode.NONE }
      }),
    }
  })
  out.reply(token, { errorCode: ErrorCode.NONE, throttleTimeMs: 0, topics })
}

export function topicsDeleted(
  shard: GroupShardState,
  { topics, token }: TopicsDeletedRequest,
  out: GroupOutcome,
): void {
  out.atomic = false
  const deleted = new Set(topics)
  for (const group of shard.offsets.groupsWithOffsets()) {
    for (const [topic, partition] of shard.offsets.partitionsOf(group)) {
      if (deleted.has(topic)) out.records.push({ type: "offset-commit", group, topic, partition, value: null })
    }
  }
  out.reply(token, ErrorCode.NONE)
}
