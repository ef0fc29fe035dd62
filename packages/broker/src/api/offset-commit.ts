/**
 * OffsetCommit (key 8), v2-10: keeps a group's positions.
 *
 * v5 no retention time of its own (KIP-211) · v6 leader epochs (KIP-320) · v7 static members · v10 topic ids. Errors: see
 * the group coordinator; UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, GROUP_AUTHORIZATION_FAILED,
 * TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { groupContext } from "./group-context.ts"
import { type Answer, handler, replyLater } from "./handler.ts"
import { idOf, resolveTopics } from "./topic-ids.ts"

type TopicResponse = Answer<typeof OffsetCommit>["topics"][number]
const VERSION_TOPIC_IDS = 10

export const offsetCommit = handler(OffsetCommit, {
  permissions: [
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
    if (!context.may("READ", "GROUP", request.groupId)) {
      reply({ topics: request.topics.map((topic) => failed(topic, ErrorCode.GROUP_AUTHORIZATION_FAILED)) })
      return
    }
    const byId = context.apiVersion >= VERSION_TOPIC_IDS
    const resolved = resolveTopics(request.topics, byId, image, (name) => context.may("READ", "TOPIC", name))
    const refused = resolved.refused.map(({ topic, errorCode }) => failed(topic, errorCode))
    const known: typeof request.topics = []
    for (const topic of resolved.known) {
      const existing = topic.partitions.filter(({ partitionIndex }) => image.partition(topic.name, partitionIndex))
      const absent = topic.partitions.filter(({ partitionIndex }) => !image.partition(topic.name, partitionIndex))
      if (existing.length > 0) known.push({ ...topic, partitions: existing })
      if (absent.length > 0) {
        refused.push(failed({ ...topic, partitions: absent }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
      }
    }
    if (known.length === 0) {
      reply({ topics: refused })
      return
    }
    const answer = services.groups
      .offsetCommit(groupContext(context), { ...request, topics: known })
      .then((response): Answer<typeof OffsetCommit> => {
        const topics = response.topics.map((topic) => ({ ...topic, topicId: idOf(image, topic.name) }))
        return { ...response, topics: [...topics, ...refused] }
      })
    replyLater(services, answer, reply)
  },
})
