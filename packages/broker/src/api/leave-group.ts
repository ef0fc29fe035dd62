/**
 * LeaveGroup (key 13), v0-5: members leave at once. v3 several, also static ones by instance id (KIP-345) · v5 reason
 * (KIP-800). Errors: see the group coordinator; GROUP_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { LeaveGroup } from "@millrace/protocol/messages/leave-group"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"

export const leaveGroup = handler(LeaveGroup, {
  permissions: [{ operation: "READ", resource: "GROUP" }],
  handle(request, context, services, reply) {
    if (context.may("READ", "GROUP", request.groupId)) {
      replyLater(services, services.groups.leaveGroup(groupContext(context), request), reply)
    } else {
      reply({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED })
    }
  },
})
