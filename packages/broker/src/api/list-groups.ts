/**
 * ListGroups (key 16), v0-5: the groups this broker coordinates. v4 filter by state (KIP-518) · v5 by type (KIP-848).
 * Groups that the client may not see are left out. Errors: see the group coordinator.
 */
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"

export const listGroups = handler(ListGroups, {
  permissions: [
    { operation: "DESCRIBE", resource: "CLUSTER" },
    { operation: "DESCRIBE", resource: "GROUP" },
  ],
  handle(request, context, services, reply) {
    const answer = services.groups.listGroups(groupContext(context), request).then((response) => {
      if (context.maySilently("DESCRIBE", "CLUSTER")) return response
      return {
        ...response,
        groups: response.groups.filter(({ groupId }) => context.maySilently("DESCRIBE", "GROUP", groupId)),
      }
    })
    replyLater(services, answer, reply)
  },
})
