/** The answer to each kind of request when it was not handled, or its records were not committed. */
import type { ErrorCode } from "@millrace/protocol"
import { coordinatorError } from "../coordinator/errors.ts"
import { sameForAll } from "./add-partitions.ts"
import { describedError } from "./describe.ts"
import { endAnswer } from "./end-txn.ts"
import { initRefusal } from "./init-producer-id.ts"
import type { TransactionRequest } from "./requests.ts"

export function refuseTransactionRequest(request: TransactionRequest, logError: ErrorCode): unknown {
  const errorCode = coordinatorError(logError)
  switch (request.kind) {
    case "init-producer-id":
      return initRefusal(errorCode)
    case "add-partitions":
    case "verify-partitions":
      return sameForAll(errorCode)
    case "end-txn":
      return endAnswer(errorCode)
    case "markers-written":
      return errorCode
    case "describe":
      return request.transactionalIds.map((transactionalId) => describedError(transactionalId, errorCode))
    case "list":
      return { error: errorCode, states: [] }
  }
}
