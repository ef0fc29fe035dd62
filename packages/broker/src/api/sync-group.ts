/**
 * SyncGroup (key 14), v0-5: the leader hands in the assignment, every member gets its own. v3 static members (KIP-345) ·
 * v5 protocol type and name are checked (KIP-559). Errors: see the group coordinator; GROUP_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { SyncGroup } from "@millrace/protocol/messages/sync-group"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"

export const syncGroup = handler(SyncGroup, {
  permissions: [{ operation: "READ", resource: "GROUP" }],
  handle(request, context, services, reply) {
    if (context.may("READ", "GROUP", request.groupId)) {
      replyLater(services, services.groups.syncGroup(groupContext(context), request), reply)
    } else {
      reply({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, assignment: new Uint8Array(0) })
    }
  },
})
