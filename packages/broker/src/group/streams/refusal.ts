import { type ErrorCode, errorMessage } from "@millrace/protocol"
import type { StreamsGroupHeartbeatResponse } from "@millrace/protocol/messages/streams-group-heartbeat"

/** An answer with nothing in it: a refusal, or the start of one that says more. */
export function streamsBeatAnswer(
  errorCode: ErrorCode,
  message: string | null = errorMessage(errorCode),
): StreamsGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: message,
    memberId: "",
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    acceptableRecoveryLagLegacy: 0,
    acceptableRecoveryLag: -1,
    taskOffsetIntervalMs: 0,
    status: [],
    activeTasks: null,
    standbyTasks: null,
    warmupTasks: null,
    topologyDescriptionRequired: false,
    endpointInformationEpoch: 0,
    partitionsByUserEndpoint: null,
  }
}
