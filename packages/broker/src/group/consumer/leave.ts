/**
 * A member goes: of its own will, for its session or its rebalance timeout ran out, or, static, to come back (rows 89, 92,
 * 95, 97). What it had is free at once; the next heartbeat of anybody makes the target anew.
 */
import { ErrorCode } from "@millrace/protocol"
import type { GroupShardState } from "../group-state.ts"
import { leaverOf, STATIC_LEAVE_EPOCH } from "../member-place.ts"
import type { GroupOutcome } from "../requests.ts"
import type { ConsumerGroup } from "./group.ts"
import type { ConsumerMember } from "./member.ts"
import { noPartitions } from "./partitions.ts"
import { beatRefusal } from "./refusal.ts"
import { type ConsumerBeat, type ConsumerTimeout, consumerTimerKey } from "./requests.ts"
import { keptRegexes, subscribedHash } from "./subscribed.ts"

export function leave(shard: GroupShardState, { request, token }: ConsumerBeat, out: GroupOutcome): void {
  const { groupId, memberEpoch } = request
  const refuse = (errorCode: ErrorCode, message: string) => void out.reply(token, beatRefusal(errorCode, message))
  const group = shard.consumerGroups.get(groupId)
  if (group === undefined) return refuse(ErrorCode.GROUP_ID_NOT_FOUND, `there is no consumer group ${groupId}`)
  const member = leaverOf(group, request)
  if ("errorCode" in member) return refuse(member.errorCode, member.message)
  if (memberEpoch === STATIC_LEAVE_EPOCH) stepAside(group, member, out)
  else remove(shard, group, member, out)
  out.reply(token, {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId: member.memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
    assignment: null,
  })
}

/** A static member will be back: its place is kept, for as long as its session. */
function stepAside(group: ConsumerGroup, member: ConsumerMember, out: GroupOutcome): void {
  const value = {
    ...member,
    memberEpoch: STATIC_LEAVE_EPOCH,
    pendingRevocation: noPartitions,
    state: "Stable" as const,
  }
  out.records.push({ type: "consumer-current", group: group.groupId, memberId: member.memberId, value })
  out.disarm(consumerTimerKey.rebalance(group.groupId, member.memberId))
}

function remove(shard: GroupShardState, group: ConsumerGroup, member: ConsumerMember, out: GroupOutcome): void {
  const { groupId } = group
  const { memberId } = member
  const rest = [...group.members.values()].filter((other) => other.memberId !== memberId)
  out.disarm(consumerTimerKey.session(groupId, memberId))
  out.disarm(consumerTimerKey.rebalance(groupId, memberId))
  const { all, changed } = keptRegexes(group, rest)
  const groupEpoch = group.groupEpoch + 1
  const metadataHash = subscribedHash(rest, all, shard.topics)
  out.records.push(
    { type: "consumer-current", group: groupId, memberId, value: null },
    { type: "consumer-target", group: groupId, memberId, value: null },
    { type: "consumer-member", group: groupId, memberId, value: null },
  )
  for (const [regex, value] of changed) out.records.push({ type: "consumer-regex", group: groupId, regex, value })
  out.records.push({ type: "consumer-group", group: groupId, value: { groupEpoch, metadataHash } })
  // Row 97: there is nobody left to make a target for.
  if (rest.length === 0) out.records.push({ type: "consumer-assignment-epoch", group: groupId, value: groupEpoch })
}

export function consumerTimedOut(shard: GroupShardState, due: ConsumerTimeout, out: GroupOutcome): void {
  const group = shard.consumerGroups.get(due.groupId)
  const member = group?.members.get(due.memberId)
  if (group === undefined || member === undefined) return
  const confirmed =
    due.kind === "consumer-rebalance" &&
    (member.state !== "UnrevokedPartitions" || member.memberEpoch !== due.memberEpoch)
  if (!confirmed) remove(shard, group, member, out)
}

/** Records that take an empty group out of the log. */
export function removeConsumerGroup(group: ConsumerGroup, out: GroupOutcome): void {
  const { groupId } = group
  for (const regex of group.regexes.keys())
    out.records.push({ type: "consumer-regex", group: groupId, regex, value: null })
  out.records.push(
    { type: "consumer-assignment-epoch", group: groupId, value: null },
    { type: "consumer-group", group: groupId, value: null },
  )
}
