/**
 * Whether a heartbeat makes sense by itself, and whether its epoch is one that the member may have (rows 88, 89).
 */
import { ErrorCode } from "@millrace/protocol"
import type { ConsumerGroupHeartbeatRequest } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { assignors } from "./assignors.ts"
import { type ConsumerMember, JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from "./member.ts"
import { isSubset, type Partitions } from "./partitions.ts"

export interface Fault {
  readonly errorCode: ErrorCode
  readonly message: string
}

/** Members choose their own id from this version on (KIP-1082). */
const ownMemberIdFrom = 1

export function requestFault(request: ConsumerGroupHeartbeatRequest, apiVersion: number): Fault | undefined {
  const message = invalid(request, apiVersion)
  if (message !== undefined) return { errorCode: ErrorCode.INVALID_REQUEST, message }
  const { serverAssignor } = request
  if (serverAssignor === null || assignors.has(serverAssignor)) return undefined
  return {
    errorCode: ErrorCode.UNSUPPORTED_ASSIGNOR,
    message: `there is no assignor ${serverAssignor}: there are ${[...assignors.keys()].join(", ")}`,
  }
}

function invalid(request: ConsumerGroupHeartbeatRequest, apiVersion: number): string | undefined {
  const { memberEpoch, memberId, instanceId } = request
  if (request.groupId === "") return "the group id is empty"
  if (memberId === "" && (apiVersion >= ownMemberIdFrom || memberEpoch !== JOIN_EPOCH)) return "the member id is empty"
  if (instanceId === "") return "the instance id is empty"
  if (request.rackId === "") return "the rack id is empty"
  if (memberEpoch < STATIC_LEAVE_EPOCH) return `there is no member epoch ${memberEpoch}`
  if (memberEpoch === STATIC_LEAVE_EPOCH && instanceId === null) return "a dynamic member leaves with epoch -1"
  if (memberEpoch !== JOIN_EPOCH) return undefined
  if (request.rebalanceTimeoutMs === -1) return "who joins gives its rebalance timeout"
  if (request.topicPartitions === null || request.topicPartitions.length > 0)
    return "who joins has no partitions: an empty list says so"
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null)
    return "who joins subscribes to names or to an expression"
  return undefined
}

/**
 * A member may be one answer behind: then its epoch is the previous one, and what it has is part of what it was given.
 * Epoch 0 is a member that starts over.
 */
export function epochFault(member: ConsumerMember, epoch: number, owned: Partitions | null): Fault | undefined {
  if (epoch === JOIN_EPOCH || epoch === member.memberEpoch) return undefined
  const isBehind = epoch < member.memberEpoch && epoch === member.previousMemberEpoch
  if (isBehind && owned !== null && isSubset(owned, member.assigned)) return undefined
  return {
    errorCode: ErrorCode.FENCED_MEMBER_EPOCH,
    message: `member ${member.memberId} is at epoch ${member.memberEpoch}, not ${epoch}: it gives up everything and joins again`,
  }
}

export const isLeaving = (epoch: number): boolean => epoch === LEAVE_EPOCH || epoch === STATIC_LEAVE_EPOCH
