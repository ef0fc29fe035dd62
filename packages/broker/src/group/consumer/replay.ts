/** What a record of a consumer group does to the group. */
import type { GroupShardState } from "../group-state.ts"
import { ConsumerGroup } from "./group.ts"
import { newCurrent, newMember, type Subscription } from "./member.ts"
import type { ConsumerGroupRecord } from "./records.ts"

export function replayConsumerGroup(shard: GroupShardState, record: ConsumerGroupRecord): void {
  const { consumerGroups } = shard
  if (record.type === "consumer-group" && record.value === null) {
    consumerGroups.delete(record.group)
    // Offsets that are left make a group of offsets alone: expiry must find them.
    if (shard.offsets.topics(record.group) !== undefined) shard.getOrCreate(record.group)
    return
  }
  let group = consumerGroups.get(record.group)
  if (group === undefined) {
    if (record.value === null) return
    group = new ConsumerGroup(record.group, shard.undo)
    consumerGroups.set(record.group, group)
    // Its offsets were read before it: the group they were kept under is this one.
    if (shard.groups.get(record.group)?.persisted === null) shard.groups.delete(record.group)
  }
  switch (record.type) {
    case "consumer-group":
      if (record.value !== null) group.replayEpoch(record.value.groupEpoch, record.value.metadataHash)
      return
    case "consumer-assignment-epoch":
      return group.replayAssignmentEpoch(record.value ?? 0)
    case "consumer-target":
      if (record.value === null) group.targets.delete(record.memberId)
      else group.targets.set(record.memberId, record.value)
      return
    case "consumer-regex":
      if (record.value === null) group.regexes.delete(record.regex)
      else group.regexes.set(record.regex, record.value)
      return
    case "consumer-member":
      if (record.value === null) group.members.delete(record.memberId)
      else group.replayMember(record.memberId, subscriptionOf(record.value), newMember(record.memberId))
      return
    case "consumer-current": {
      if (record.value === null) {
        // The member's own tombstone follows, or this was all there was of it.
        if (group.members.has(record.memberId))
          group.replayMember(record.memberId, newCurrent, newMember(record.memberId))
        return
      }
      const { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = record.value
      const current = { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation }
      group.replayMember(record.memberId, current, newMember(record.memberId))
      return
    }
  }
}

/** The record may be the whole member: the rest of it has a record of its own. */
function subscriptionOf(member: Subscription): Subscription {
  const { instanceId, rackId, clientId, clientHost, topicNames, topicRegex, rebalanceTimeoutMs } = member
  const { serverAssignor, classic } = member
  return {
    ...{ instanceId, rackId, clientId, clientHost },
    ...{ topicNames, topicRegex, rebalanceTimeoutMs, serverAssignor, classic },
  }
}
