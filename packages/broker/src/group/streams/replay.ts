/** What a record of a streams group does to the group. */
import type { GroupShardState } from "../group-state.ts"
import { newStreamsCurrent, newStreamsMember, type StreamsMemberMetadata } from "./member.ts"
import type { StreamsGroupRecord } from "./records.ts"

export function replayStreamsGroup(shard: GroupShardState, record: StreamsGroupRecord): void {
  const { streamsGroups } = shard
  if (record.type === "streams-group" && record.value === null) {
    streamsGroups.delete(record.group)
    // Offsets that are left make a group of offsets alone: expiry must find them.
    if (shard.offsets.topics(record.group) !== undefined) shard.getOrCreate(record.group)
    return
  }
  if (record.value === null && !streamsGroups.has(record.group)) return
  const group = shard.getOrCreateStreams(record.group)
  switch (record.type) {
    case "streams-group":
      if (record.value !== null) group.replayMetadata(record.value)
      return
    case "streams-topology":
      return group.replayTopology(record.value)
    case "streams-assignment":
      return group.replayAssignmentEpoch(record.value && record.value.epoch)
    case "streams-target":
      if (record.value === null) group.targets.delete(record.memberId)
      else group.targets.set(record.memberId, record.value)
      return
    case "streams-member":
      if (record.value === null) group.members.delete(record.memberId)
      else group.replayMember(record.memberId, metadataOf(record.value), newStreamsMember(record.memberId))
      return
    case "streams-current": {
      const { memberId } = record
      // The member's own tombstone follows, or this was all there was of it.
      if (record.value === null && !group.members.has(memberId)) return
      const { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation, assignmentEpochs } =
        record.value ?? newStreamsCurrent
      const current = { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation, assignmentEpochs }
      group.replayMember(memberId, current, newStreamsMember(memberId))
      return
    }
  }
}

/** A heartbeat's record is the whole member: the rest of it has a record of its own. */
function metadataOf(member: StreamsMemberMetadata): StreamsMemberMetadata {
  const { instanceId, rackId, clientId, clientHost, rebalanceTimeoutMs, topologyEpoch, processId } = member
  const { userEndpoint, clientTags } = member
  return {
    instanceId,
    rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    topologyEpoch,
    processId,
    userEndpoint,
    clientTags,
  }
}
