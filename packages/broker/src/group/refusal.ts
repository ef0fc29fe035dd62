/** The answer to each kind of request when it was not handled, or its records were not committed. */
import { ErrorCode } from "@millrace/protocol"
import { coordinatorError } from "../coordinator/errors.ts"
import { describedConsumerError } from "./consumer/describe.ts"
import { beatRefusal } from "./consumer/refusal.ts"
import { describedError } from "./describe.ts"
import { commitResults } from "./offset-commit.ts"
import type { GroupRequest } from "./requests.ts"
import { joinRefusal, syncRefusal } from "./responses.ts"
import { describedStreamsError } from "./streams/describe.ts"
import { streamsBeatAnswer } from "./streams/refusal.ts"

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
    case "consumer-heartbeat":
      return beatRefusal(errorCode)
    case "consumer-describe":
      return request.groupIds.map((groupId) => describedConsumerError(groupId, errorCode))
    case "streams-heartbeat":
      return { response: streamsBeatAnswer(errorCode), missing: [] }
    case "streams-describe":
      return request.groupIds.map((groupId) => describedStreamsError(groupId, errorCode))
    case "topics-deleted":
      return errorCode
  }
}
