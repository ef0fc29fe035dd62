/**
 * TxnOffsetCommit (key 28), v0-6: positions that count once the producer's transaction commits.
 *
 * v3 the member is validated (KIP-447) · v6 topic ids. Errors: see the group coordinator; UNKNOWN_TOPIC_OR_PARTITION,
 * UNKNOWN_TOPIC_ID, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import { groupContext } from "./group-context.ts"
import { type Answer, handler, replyLater } from "./handler.ts"
import { idOf, resolveTopics } from "./topic-ids.ts"

type TopicResponse = Answer<typeof TxnOffsetCommit>["topics"][number]
const VERSION_TOPIC_IDS = 6

export const txnOffsetCommit = handler(TxnOffsetCommit, {
  permissions: [
    { operation: "WRITE", resource: "TRANSACTIONAL_ID" },
    { operation: "READ", resource: "GROUP" },
    { operation: "READ", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    const { image } = services
    const failed = (
      { name, topicId, partitions }: (typeof request.topics)[number],
      errorCode: number,
    ): TopicResponse => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })
    const refusal = !context.may("WRITE", "TRANSACTIONAL_ID", request.transactionalId)
      ? ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      : !context.may("READ", "GROUP", request.groupId)
        ? ErrorCode.GROUP_AUTHORIZATION_FAILED
        : undefined
    if (refusal !== undefined) {
      reply({ topics: request.topics.map((topic) => failed(topic, refusal)) })
      return
    }
    const byId = context.apiVersion >= VERSION_TOPIC_IDS
    const resolved = resolveTopics(request.topics, byId, image, (name) => context.may("READ", "TOPIC", name))
    const refused = resolved.refused.map(({ topic, errorCode }) => failed(topic, errorCode))
    const known: typeof request.topics = []
    for (const topic of resolved.known) {
      if (topic.partitions.every(({ partitionIndex }) => image.partition(topic.name, partitionIndex))) known.push(topic)
      else refused.push(failed(topic, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
    }
    if (known.length === 0) {
      reply({ topics: refused })
      return
    }
    const answer = services.groups
      .txnOffsetCommit(groupContext(context), { ...request, topics: known })
      .then((response): Answer<typeof TxnOffsetCommit> => {
        const topics = response.topics.map((topic) => ({ ...topic, topicId: idOf(image, topic.name) }))
        return { ...response, topics: [...topics, ...refused] }
      })
    replyLater(services, answer, reply)
  },
})
