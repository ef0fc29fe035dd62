/**
 * A member goes: of its own will, for its session or its rebalance timeout ran out, or, static, to come back. What it had
 * is free at once; the next heartbeat of anybody makes the target anew.
 */
import { ErrorCode } from "@millrace/protocol"
import type { GroupShardState } from "../group-state.ts"
import { leaverOf, STATIC_LEAVE_EPOCH } from "../member-place.ts"
import type { GroupOutcome } from "../requests.ts"
import type { StreamsGroup } from "./group.ts"
import type { StreamsMember } from "./member.ts"
import { streamsBeatAnswer } from "./refusal.ts"
import { type StreamsBeat, type StreamsTimeout, streamsTimerKey } from "./requests.ts"
import { noTasks } from "./tasks.ts"
import { configuredTopology } from "./configured-topology.ts"
import { makeTarget } from "./target.ts"

export function leaveStreams(shard: GroupShardState, { request, token }: StreamsBeat, out: GroupOutcome): void {
  const { groupId, memberEpoch, memberId } = request
  const refuse = (errorCode: ErrorCode, message: string) =>
    void out.reply(token, { response: streamsBeatAnswer(errorCode, message), missing: [] })
  const group = shard.streamsGroups.get(groupId)
  if (group === undefined) return refuse(ErrorCode.GROUP_ID_NOT_FOUND, `there is no streams group ${groupId}`)
  const member = leaverOf(group, request)
  if ("errorCode" in member) return refuse(member.errorCode, member.message)
  if (request.shutdownApplication) group.soften({ shutdownBy: memberId })
  if (memberEpoch === STATIC_LEAVE_EPOCH) stepAside(group, member, out)
  else remove(group, member, out)
  out.reply(token, {
    response: { ...streamsBeatAnswer(ErrorCode.NONE, null), memberId: member.memberId, memberEpoch },
    missing: [],
  })
}

/** A static member will be back: its place is kept, for as long as its session. */
function stepAside({ groupId }: StreamsGroup, member: StreamsMember, out: GroupOutcome): void {
  const { memberId } = member
  const value = {
    ...member,
    memberEpoch: STATIC_LEAVE_EPOCH,
    state: "Stable" as const,
    pendingRevocation: noTasks,
    // Who takes its place may commit from its first epoch on.
    assignmentEpochs: new Map([...member.assignmentEpochs.keys()].map((task) => [task, 0])),
  }
  out.records.push({ type: "streams-current", group: groupId, memberId, value })
  out.disarm(streamsTimerKey.rebalance(groupId, memberId))
}

function remove(group: StreamsGroup, { memberId }: StreamsMember, out: GroupOutcome): void {
  const { groupId, metadata } = group
  out.disarm(streamsTimerKey.session(groupId, memberId))
  out.disarm(streamsTimerKey.rebalance(groupId, memberId))
  group.taskOffsets.delete(memberId)
  const isLast = group.members.size === 1
  if (isLast) {
    group.soften({ shutdownBy: null, isDelayed: false })
    out.disarm(streamsTimerKey.initialRebalance(groupId))
  }
  const groupEpoch = metadata.groupEpoch + 1
  out.records.push(
    { type: "streams-current", group: groupId, memberId, value: null },
    { type: "streams-target", group: groupId, memberId, value: null },
    { type: "streams-member", group: groupId, memberId, value: null },
    { type: "streams-group", group: groupId, value: { ...metadata, groupEpoch } },
  )
  // There is nobody left to make a target for.
  if (isLast)
    out.records.push({ type: "streams-assignment", group: groupId, value: { epoch: groupEpoch, timestamp: 0 } })
}

export function streamsTimedOut(shard: GroupShardState, due: StreamsTimeout, now: number, out: GroupOutcome): void {
  const group = shard.streamsGroups.get(due.groupId)
  if (group === undefined) return
  if (due.kind === "streams-initial-rebalance") return delayPassed(shard, group, now, out)
  const member = group.members.get(due.memberId)
  if (member === undefined) return
  const confirmed =
    due.kind === "streams-rebalance" && (member.state !== "UnrevokedTasks" || member.memberEpoch !== due.memberEpoch)
  if (!confirmed) remove(group, member, out)
}

function delayPassed(shard: GroupShardState, group: StreamsGroup, now: number, out: GroupOutcome): void {
  group.soften({ isDelayed: false })
  const { topology, groupEpoch, targets } = group
  if (group.members.size === 0 || topology === null || groupEpoch <= group.assignmentEpoch) return
  const configured = configuredTopology(shard, group, topology)
  if ("errorCode" in configured) return
  const members = [...group.members.values()]
  const standbyReplicas = shard.configOf(group.groupId)["streams.num.standby.replicas"]
  const targetOf = (memberId: string) => targets.get(memberId)
  makeTarget(group, { groupEpoch, members, targetOf, configured, standbyReplicas, now }, out)
}

/** Records that take an empty group out of the log. */
export function removeStreamsGroup({ groupId }: StreamsGroup, out: GroupOutcome): void {
  out.records.push(
    { type: "streams-assignment", group: groupId, value: null },
    { type: "streams-topology", group: groupId, value: null },
    { type: "streams-group", group: groupId, value: null },
  )
}
