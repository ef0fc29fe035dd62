/**
 * JoinGroup (key 11), v0-9: asks to become, or stay, a member of a classic group; answered when the rebalance is over.
 *
 * v4 the member id is given first (KIP-394) · v5 static members (KIP-345) · v8 reason (KIP-800) · v9 a static leader may
 * skip the assignment (KIP-814). Errors: see the group coordinator; GROUP_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { JoinGroup } from "@millrace/protocol/messages/join-group"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"

export const joinGroup = handler(JoinGroup, {
  permissions: [{ operation: "READ", resource: "GROUP" }],
  handle(request, context, services, reply) {
    if (context.may("READ", "GROUP", request.groupId)) {
      replyLater(services, services.groups.joinGroup(groupContext(context), request), reply)
      return
    }
    reply({
      errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED,
      generationId: -1,
      protocolName: "",
      leader: "",
      memberId: request.memberId,
      members: [],
    })
  },
})
