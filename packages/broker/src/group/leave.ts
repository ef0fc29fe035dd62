/**
 * LeaveGroup: members go at once instead of when their sessions end.
 *
 * Before v3 one member leaves, and its error is the answer's; from v3 several may, static ones also by instance id alone
 * (row 82), and each has its own error.
 *
 * Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID.
 */
import { ErrorCode } from "@millrace/protocol"
import type { LeaveGroupRequest, LeaveGroupResponse } from "@millrace/protocol/messages/leave-group"
import type { ClassicGroup } from "./classic-group.ts"
import { leaveAsClassic } from "./consumer/classic-requests.ts"
import type { GroupShardState } from "./group-state.ts"
import { Rebalance } from "./rebalance.ts"
import { type GroupOutcome, type LeaveRequest, timerKey } from "./requests.ts"

type Leaving = LeaveGroupRequest["members"][number]

const severalMembersFrom = 3

export function leave(shard: GroupShardState, leave: LeaveRequest, now: number, out: GroupOutcome): void {
  const { request, token, context } = leave
  const several = context.apiVersion >= severalMembersFrom
  const leaving: Leaving[] = several
    ? request.members
    : [{ memberId: request.memberId, groupInstanceId: null, reason: null }]
  const answer = (errors: ErrorCode[]) => void out.reply(token, leaveAnswer(several, leaving, errors))
  if (request.groupId === "") {
    out.reply(token, { throttleTimeMs: 0, errorCode: ErrorCode.INVALID_GROUP_ID, members: [] })
    return
  }
  const consumerGroup = shard.consumerGroups.get(request.groupId)
  if (consumerGroup !== undefined) return answer(leaveAsClassic(shard, consumerGroup, leaving, now, out))
  const group = shard.groups.get(request.groupId)
  if (group === undefined) return answer(leaving.map(() => ErrorCode.UNKNOWN_MEMBER_ID))
  const rebalance = new Rebalance(shard.config, group, now, out)
  const errors = leaving.map((member) => remove(group, rebalance, member, out))
  answer(errors)
  if (!errors.includes(ErrorCode.NONE)) return
  if (group.state === "PreparingRebalance") rebalance.advance()
  else rebalance.memberGone()
}

function remove(group: ClassicGroup, rebalance: Rebalance, leaving: Leaving, out: GroupOutcome): ErrorCode {
  const byInstance = leaving.memberId === "" && leaving.groupInstanceId !== null
  const memberId = byInstance ? group.staticMemberId(leaving.groupInstanceId ?? "") : leaving.memberId
  if (memberId === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  if (group.pendingMembers.has(memberId)) {
    group.remove(memberId)
    out.disarm(timerKey.session(group.groupId, memberId))
    return ErrorCode.NONE
  }
  const error = group.validateMember(memberId, byInstance ? null : leaving.groupInstanceId)
  const member = group.members.get(memberId)
  if (error === ErrorCode.NONE && member !== undefined) rebalance.forget(member)
  return error
}

function leaveAnswer(several: boolean, leaving: readonly Leaving[], errors: readonly ErrorCode[]): LeaveGroupResponse {
  if (!several) return { throttleTimeMs: 0, errorCode: errors[0] ?? ErrorCode.NONE, members: [] }
  const members = leaving.map(({ memberId, groupInstanceId }, index) => ({
    memberId,
    groupInstanceId,
    errorCode: errors[index] ?? ErrorCode.NONE,
  }))
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, members }
}
