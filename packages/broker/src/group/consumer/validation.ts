/** Whether a heartbeat makes sense by itself (row 88). */
import { ErrorCode } from "@millrace/protocol"
import type { ConsumerGroupHeartbeatRequest } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { type Fault, JOIN_EPOCH, STATIC_LEAVE_EPOCH } from "../member-place.ts"
import { assignors } from "./assignors.ts"

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
  if (request.groupId.trim() === "") return "the group id is empty"
  if (memberId === "" && (apiVersion >= ownMemberIdFrom || memberEpoch !== JOIN_EPOCH)) return "the member id is empty"
  if (instanceId?.trim() === "") return "the instance id is empty"
  if (request.rackId?.trim() === "") return "the rack id is empty"
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
