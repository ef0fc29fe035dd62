import { type ErrorCode, errorMessage } from "@millrace/protocol"
import type { ConsumerGroupHeartbeatResponse } from "@millrace/protocol/messages/consumer-group-heartbeat"

/** A refused heartbeat; the message says more than the error's name does, where there is more to say. */
export function beatRefusal(
  errorCode: ErrorCode,
  message: string = errorMessage(errorCode),
): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: message,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  }
}
