/**
 * A member goes: of its own will, for its session or its rebalance timeout ran out, or, static, to come back (rows 89, 92,
 * 95, 97). What it had is free at once; the next heartbeat of anybody makes the target anew.
 */
import { ErrorCode } from "@millrace/protocol"
import type { GroupShardState } from "../group-state.ts"
import { canDowngrade, downgrade } from "../migration.ts"
import { leaverOf, STATIC_LEAVE_EPOCH } from "../member-place.ts"
import type { GroupOutcome } from "../requests.ts"
import type { ConsumerGroup } from "./group.ts"
import type { ConsumerMember } from "./member.ts"
import { noPartitions } from "./partitions.ts"
import { beatRefusal } from "./refusal.ts"
import { type ConsumerBeat, type ConsumerTimeout, consumerTimerKey, disarmMember } from "./requests.ts"
import { keptRegexes, subscribedHash } from "./subscribed.ts"
import { removeMember } from "./tombstones.ts"

export function leave(shard: GroupShardState, { request, token }: ConsumerBeat, now: number, out: GroupOutcome): void {
  const { groupId, memberEpoch } = request
  const refuse = (errorCode: ErrorCode, message: string) => void out.reply(token, beatRefusal(errorCode, message))
  const group = shard.consumerGroups.get(groupId)
  if (group === undefined) return refuse(ErrorCode.GROUP_ID_NOT_FOUND, `there is no consumer group ${groupId}`)
  const member = leaverOf(group, request)
  if ("errorCode" in member) return refuse(member.errorCode, member.message)
  if (memberEpoch === STATIC_LEAVE_EPOCH) stepAside(group, member, out)
  else removeMembers(shard, group, new Set([member.memberId]), now, out)
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

/** Members go; where only members of the classic protocol are left, the group becomes one of theirs again. */
export function removeMembers(
  shard: GroupShardState,
  group: ConsumerGroup,
  memberIds: ReadonlySet<string>,
  now: number,
  out: GroupOutcome,
): void {
  const { groupId } = group
  const rest = [...group.members.values()].filter(({ memberId }) => !memberIds.has(memberId))
  for (const memberId of memberIds) disarmMember(group, memberId, out)
  if (canDowngrade(shard, rest)) return downgrade(shard, group, rest, now, out)
  for (const memberId of memberIds) removeMember(group, memberId, out)
  const { all, changed, isComplete } = keptRegexes(group, rest)
  // Who went may have been allowed to see more topics than those that stay: who reports next resolves them anew.
  if (!isComplete) group.checkedVersion = -1
  const groupEpoch = group.groupEpoch + 1
  const metadataHash = subscribedHash(rest, all, shard.topics)
  for (const [regex, value] of changed) out.records.push({ type: "consumer-regex", group: groupId, regex, value })
  out.records.push({ type: "consumer-group", group: groupId, value: { groupEpoch, metadataHash } })
  // Row 97: there is nobody left to make a target for.
  if (rest.length === 0) out.records.push({ type: "consumer-assignment-epoch", group: groupId, value: groupEpoch })
}

export function consumerTimedOut(shard: GroupShardState, due: ConsumerTimeout, now: number, out: GroupOutcome): void {
  const group = shard.consumerGroups.get(due.groupId)
  const member = group?.members.get(due.memberId)
  if (group === undefined || member === undefined) return
  const confirmed =
    due.kind === "consumer-rebalance" &&
    (member.state !== "UnrevokedPartitions" || member.memberEpoch !== due.memberEpoch)
  if (!confirmed) removeMembers(shard, group, new Set([member.memberId]), now, out)
}
