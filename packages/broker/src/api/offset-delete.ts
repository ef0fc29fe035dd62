/**
 * OffsetDelete (key 47), v0: forgets positions of a group (KIP-496). Errors: see the group coordinator;
 * UNKNOWN_TOPIC_OR_PARTITION, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { OffsetDelete } from "@millrace/protocol/messages/offset-delete"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"

export const offsetDelete = handler(OffsetDelete, {
  permissions: [
    { operation: "DELETE", resource: "GROUP" },
    { operation: "READ", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    if (!context.may("DELETE", "GROUP", request.groupId)) {
      reply({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, topics: [] })
      return
    }
    const allowed = request.topics.filter(({ name }) => context.may("READ", "TOPIC", name))
    const refused = request.topics
      .filter(({ name }) => !context.may("READ", "TOPIC", name))
      .map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        })),
      }))
    const answer = services.groups
      .offsetDelete(groupContext(context), { ...request, topics: allowed })
      .then((response) => ({ ...response, topics: [...response.topics, ...refused] }))
    replyLater(services, answer, reply)
  },
})
