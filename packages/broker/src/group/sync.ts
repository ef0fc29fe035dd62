/**
 * SyncGroup: members fetch their assignment; the leader brings everyone's (row 78).
 *
 * The generation is written down when the leader's assignment arrives, and answers leave once that is committed.
 *
 * Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL,
 * REBALANCE_IN_PROGRESS.
 */
import { ErrorCode } from "@millrace/protocol"
import type { ClassicGroup } from "./classic-group.ts"
import { syncAsClassic } from "./consumer/classic-requests.ts"
import type { GroupShardState } from "./group-state.ts"
import { Rebalance } from "./rebalance.ts"
import type { GroupOutcome, SyncRequest } from "./requests.ts"
import { syncAnswer, syncRefusal } from "./responses.ts"
import type { GroupState } from "./state.ts"

/** From this version on the client names the protocol it believes was chosen. */
const protocolRequiredFrom = 5

/** What a valid member gets in each state; `wait` parks it until the leader has assigned. */
export const syncInState: Record<GroupState, "wait" | "assignment" | ErrorCode> = {
  Empty: ErrorCode.UNKNOWN_MEMBER_ID,
  PreparingRebalance: ErrorCode.REBALANCE_IN_PROGRESS,
  CompletingRebalance: "wait",
  Stable: "assignment",
  Dead: ErrorCode.UNKNOWN_MEMBER_ID,
}

export function sync(shard: GroupShardState, sync: SyncRequest, now: number, out: GroupOutcome): void {
  const { request, token } = sync
  const invalid = requestFault(sync)
  if (invalid !== ErrorCode.NONE) return void out.reply(token, syncRefusal(invalid))
  const consumerGroup = shard.consumerGroups.get(request.groupId)
  if (consumerGroup !== undefined) return syncAsClassic(shard, consumerGroup, sync, out)
  const group = shard.groups.get(request.groupId)
  const error = validate(group, sync)
  const outcome = error === ErrorCode.NONE ? syncInState[group?.state ?? "Dead"] : error
  const member = group?.members.get(request.memberId)
  if (group === undefined || member === undefined || (outcome !== "wait" && outcome !== "assignment")) {
    const refusal = typeof outcome === "number" ? outcome : ErrorCode.UNKNOWN_MEMBER_ID
    out.reply(token, syncRefusal(refusal))
    return
  }
  const rebalance = new Rebalance(shard.config, group, now, out)
  rebalance.synced(request.memberId)
  if (outcome === "assignment") {
    out.reply(token, syncAnswer(group, member))
    return
  }
  // The client gave up on an earlier SyncGroup and asks again: only the later one is heard.
  if (member.syncing !== undefined) out.reply(member.syncing, syncRefusal(ErrorCode.REBALANCE_IN_PROGRESS))
  group.update(request.memberId, { syncing: token })
  if (request.memberId !== group.leader) return
  // Decoded bytes are views of the request's buffer; the group keeps them for as long as the generation lasts.
  rebalance.settle(
    new Map(request.assignments.map(({ memberId, assignment }) => [memberId, Uint8Array.from(assignment)])),
  )
}

function requestFault({ request: { groupId, protocolType, protocolName }, context }: SyncRequest): ErrorCode {
  if (groupId === "") return ErrorCode.INVALID_GROUP_ID
  const isNamed = protocolType !== null && protocolName !== null
  return context.apiVersion >= protocolRequiredFrom && !isNamed ? ErrorCode.INCONSISTENT_GROUP_PROTOCOL : ErrorCode.NONE
}

function validate(group: ClassicGroup | undefined, { request }: SyncRequest): ErrorCode {
  const { protocolType, protocolName } = request
  if (group === undefined || group.state === "Empty") return ErrorCode.UNKNOWN_MEMBER_ID
  const error = group.validateMember(request.memberId, request.groupInstanceId)
  if (error !== ErrorCode.NONE) return error
  if (request.generationId !== group.generation) return ErrorCode.ILLEGAL_GENERATION
  if (differs(protocolType, group.protocolType) || differs(protocolName, group.protocol)) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  return ErrorCode.NONE
}

function differs(asked: string | null, actual: string | null): boolean {
  return asked !== null && actual !== null && asked !== actual
}
