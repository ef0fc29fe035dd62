/**
 * DescribeGroups (key 15), v0-6: state and members of classic groups. v3 authorized operations (KIP-430) · v6 an unknown
 * group is GROUP_ID_NOT_FOUND (KIP-1043); before, it is in state Dead without an error. Errors: see the group
 * coordinator; GROUP_AUTHORIZATION_FAILED per group.
 */
import { ErrorCode } from "@millrace/protocol"
import { DescribeGroups } from "@millrace/protocol/messages/describe-groups"
import { authorizedOperations } from "../security/authorizer.ts"
import { groupContext } from "./group-context.ts"
import { type Answer, handler, replyLater } from "./handler.ts"

type DescribedGroup = Answer<typeof DescribeGroups>["groups"][number]

export const describeGroups = handler(DescribeGroups, {
  permissions: [{ operation: "DESCRIBE", resource: "GROUP" }],
  handle(request, context, services, reply) {
    const mayDescribe = (groupId: string) => context.may("DESCRIBE", "GROUP", groupId)
    const allowed = request.groups.filter(mayDescribe)
    const refused: DescribedGroup[] = request.groups
      .filter((groupId) => !mayDescribe(groupId))
      .map((groupId) => ({
        errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED,
        groupId,
        groupState: "",
        protocolType: "",
        protocolData: "",
        members: [],
      }))
    const described = services.groups.describeGroups(groupContext(context), { ...request, groups: allowed })
    const answer = described.then((response): Answer<typeof DescribeGroups> => {
      const groups: DescribedGroup[] = response.groups.map((group) =>
        request.includeAuthorizedOperations && group.errorCode === ErrorCode.NONE
          ? {
              ...group,
              authorizedOperations: authorizedOperations("GROUP", ({ operation, resource }) =>
                context.maySilently(operation, resource, group.groupId),
              ),
            }
          : group,
      )
      return { ...response, groups: [...groups, ...refused] }
    })
    replyLater(services, answer, reply)
  },
})
