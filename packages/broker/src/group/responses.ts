/**
 * Answers to membership requests, and the answer to each kind of request when it cannot be handled at all.
 *
 * Errors of the log are mapped to what clients of these APIs understand: find the coordinator again, or retry.
 */
import { ErrorCode } from "@millrace/protocol"
import type { JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { SyncGroupResponse } from "@millrace/protocol/messages/sync-group"
import type { ClassicGroup } from "./classic-group.ts"
import { type Member, noAssignment } from "./member.ts"

export function joinAnswer(
  group: ClassicGroup,
  memberId: string,
  members: JoinGroupResponse["members"],
  skipAssignment = false,
): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    generationId: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocol,
    leader: group.leader ?? "",
    skipAssignment,
    memberId,
    members,
  }
}

/** The service turns the null protocol name into an empty one for versions that have no null. */
export function joinRefusal(memberId: string, errorCode: ErrorCode): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: "",
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export function syncAnswer(group: ClassicGroup, member: Member): SyncGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    protocolType: group.protocolType,
    protocolName: group.protocol,
    assignment: member.assignment,
  }
}

export function syncRefusal(errorCode: ErrorCode): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode, protocolType: null, protocolName: null, assignment: noAssignment }
}
