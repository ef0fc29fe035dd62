/**
 * UnregisterController (key 94), v0: forgets the registration of a controller that will not come back. There is one, and it
 * is at work. Errors: INVALID_REQUEST (that one), CONTROLLER_ID_NOT_REGISTERED, CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { UnregisterController } from "@millrace/protocol/messages/unregister-controller"
import { handler } from "./handler.ts"

export const unregisterController = handler(UnregisterController, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle({ controllerId }, context, { nodeId }, reply) {
    const answer = (errorCode: ErrorCode, errorMessage: string) => reply({ errorCode, errorMessage })
    if (!context.may("ALTER", "CLUSTER"))
      answer(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, "Cluster authorization failed.")
    else if (controllerId === nodeId)
      answer(ErrorCode.INVALID_REQUEST, `Controller ${controllerId} is the one that is asked.`)
    else answer(ErrorCode.CONTROLLER_ID_NOT_REGISTERED, `There is no controller ${controllerId}.`)
  },
})
