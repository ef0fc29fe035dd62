/**
 * The answer to each kind of request when it was not handled, or its records were not committed.
 *
 * Errors of the log become what clients of these APIs understand: look for the coordinator again, or try again.
 */
import { ErrorCode } from "@millrace/protocol"
import { describedError } from "./describe.ts"
import { commitResults } from "./offset-commit.ts"
import type { GroupRequest } from "./requests.ts"
import { joinRefusal, syncRefusal } from "./responses.ts"

const coordinatorErrors: ReadonlyMap<ErrorCode, ErrorCode> = new Map<ErrorCode, ErrorCode>([
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.REQUEST_TIMED_OUT, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR],
  [ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.NOT_COORDINATOR],
  [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR],
  [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR],
  [ErrorCode.RECORD_LIST_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR],
])

/** An error of the internal topic's log, as a coordinator tells it. */
export function coordinatorError(error: ErrorCode): ErrorCode {
  return coordinatorErrors.get(error) ?? error
}

export function refuseGroupRequest(request: GroupRequest, logError: ErrorCode): unknown {
  const errorCode = coordinatorError(logError)
  const throttleTimeMs = 0
  switch (request.kind) {
    case "join":
      return joinRefusal(request.request.memberId, errorCode)
    case "sync":
      return syncRefusal(errorCode)
    case "heartbeat": {
      // A member need not rejoin because its coordinator is still reading: it will be known in a moment.
      const loading = errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
      return { throttleTimeMs, errorCode: loading ? ErrorCode.NONE : errorCode }
    }
    case "leave":
      return { throttleTimeMs, errorCode, members: [] }
    case "offset-commit":
    case "txn-offset-commit": {
      const tooLarge = logError === ErrorCode.MESSAGE_TOO_LARGE
      const error = tooLarge ? ErrorCode.INVALID_COMMIT_OFFSET_SIZE : errorCode
      return { throttleTimeMs, topics: commitResults(request.request.topics, () => error) }
    }
    case "offset-fetch": {
      // Consumers before 3.9 give up on COORDINATOR_NOT_AVAILABLE here, though it only means to try again.
      const unavailable = errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE
      const error = unavailable ? ErrorCode.NOT_COORDINATOR : errorCode
      return { groupId: request.group.groupId, topics: [], errorCode: error }
    }
    case "offset-delete":
      return { errorCode, throttleTimeMs, topics: [] }
    case "describe":
      return request.groupIds.map((groupId) => describedError(groupId, errorCode))
    case "list":
      return { error: errorCode, groups: [] }
    case "delete":
      return request.groupIds.map((groupId) => ({ groupId, errorCode, errorMessage: null }))
    case "topics-deleted":
      return errorCode
  }
}
