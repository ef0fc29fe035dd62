/**
 * Heartbeat: keeps a member's session alive and tells it of a rebalance (row 77).
 *
 * Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS.
 */
import { ErrorCode } from "@millrace/protocol"
import { beatAsClassic } from "./consumer/classic-requests.ts"
import type { GroupShardState } from "./group-state.ts"
import { Rebalance } from "./rebalance.ts"
import type { BeatRequest, GroupOutcome } from "./requests.ts"
import type { GroupState } from "./state.ts"

/** What a valid member of the current generation hears. Where it is a member, its session starts anew. */
export const heartbeatInState: Record<GroupState, ErrorCode> = {
  Empty: ErrorCode.UNKNOWN_MEMBER_ID,
  PreparingRebalance: ErrorCode.REBALANCE_IN_PROGRESS,
  CompletingRebalance: ErrorCode.NONE,
  Stable: ErrorCode.NONE,
  Dead: ErrorCode.UNKNOWN_MEMBER_ID,
}

export function heartbeat(shard: GroupShardState, beat: BeatRequest, now: number, out: GroupOutcome): void {
  const { request, token } = beat
  const answer = (errorCode: ErrorCode) => void out.reply(token, { throttleTimeMs: 0, errorCode })
  if (request.groupId === "") return answer(ErrorCode.INVALID_GROUP_ID)
  const consumerGroup = shard.consumerGroups.get(request.groupId)
  if (consumerGroup !== undefined) return beatAsClassic(shard, consumerGroup, beat, now, out)
  const group = shard.groups.get(request.groupId)
  if (group === undefined) return answer(heartbeatInState.Dead)
  const error = group.validateMember(request.memberId, request.groupInstanceId)
  const member = group.members.get(request.memberId)
  if (error !== ErrorCode.NONE || member === undefined) return answer(error)
  if (request.generationId !== group.generation) return answer(ErrorCode.ILLEGAL_GENERATION)
  new Rebalance(shard.config, group, now, out).armSession(member.memberId, member.sessionTimeoutMs)
  answer(heartbeatInState[group.state])
}
