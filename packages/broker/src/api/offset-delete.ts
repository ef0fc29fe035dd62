/**
 * OffsetDelete (key 47), v0: forgets positions of a group (KIP-496). Errors: see the group coordinator;
 * UNKNOWN_TOPIC_OR_PARTITION, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { OffsetDelete } from "@millrace/protocol/messages/offset-delete"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"
import { topicsOnce } from "./partitions-once.ts"

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
    const fault = (name: string, partition: number): ErrorCode => {
      if (!context.may("READ", "TOPIC", name)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
      return services.image.partition(name, partition) ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    }
    const asked = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: fault(name, partitionIndex) })),
    }))
    const having = (isRefused: boolean) =>
      asked
        .map(({ name, partitions }) => ({
          name,
          partitions: partitions.filter(({ errorCode }) => (errorCode !== ErrorCode.NONE) === isRefused),
        }))
        .filter(({ partitions }) => partitions.length > 0)
    const answer = services.groups
      .offsetDelete(groupContext(context), { ...request, topics: having(false) })
      .then((response) => {
        // A group that does not give its offsets up says so for all.
        if (response.errorCode !== ErrorCode.NONE) return response
        return { ...response, topics: topicsOnce([...response.topics, ...having(true)], ({ name }) => name) }
      })
    replyLater(services, answer, reply)
  },
})
