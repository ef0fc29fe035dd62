/**
 * Heartbeat (key 12), v0-4: a member of a classic group is alive, and learns of a rebalance. v3 static members (KIP-345).
 * Errors: see the group coordinator; GROUP_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { Heartbeat } from "@millrace/protocol/messages/heartbeat"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"

export const heartbeat = handler(Heartbeat, {
  permissions: [{ operation: "READ", resource: "GROUP" }],
  handle(request, context, services, reply) {
    if (context.may("READ", "GROUP", request.groupId)) {
      replyLater(services, services.groups.heartbeat(groupContext(context), request), reply)
    } else {
      reply({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED })
    }
  },
})
