/**
 * DeleteGroups (key 42), v0-3: forgets empty groups and their offsets. Errors: see the group coordinator;
 * GROUP_AUTHORIZATION_FAILED per group.
 */
import { ErrorCode } from "@millrace/protocol"
import { DeleteGroups } from "@millrace/protocol/messages/delete-groups"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"

export const deleteGroups = handler(DeleteGroups, {
  permissions: [{ operation: "DELETE", resource: "GROUP" }],
  handle(request, context, services, reply) {
    const mayDelete = (groupId: string) => context.may("DELETE", "GROUP", groupId)
    const allowed = request.groupsNames.filter(mayDelete)
    const refused = request.groupsNames
      .filter((groupId) => !mayDelete(groupId))
      .map((groupId) => ({ groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }))
    const answer = services.groups
      .deleteGroups(groupContext(context), { ...request, groupsNames: allowed })
      .then((response) => ({ ...response, results: [...response.results, ...refused] }))
    replyLater(services, answer, reply)
  },
})
