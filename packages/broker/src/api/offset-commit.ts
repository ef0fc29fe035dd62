/**
 * OffsetCommit (key 8), v2-10: keeps a group's positions.
 *
 * v5 no retention time of its own (KIP-211) · v6 leader epochs (KIP-320) · v7 static members · v10 topic ids. Errors: see
 * the group coordinator; UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, GROUP_AUTHORIZATION_FAILED,
 * TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { committedTopics, failedTopic, toldOnce } from "./committed-topics.ts"
import { groupContext } from "./group-context.ts"
import { type Answer, handler, replyLater } from "./handler.ts"
import { idOf } from "./topic-ids.ts"

const VERSION_TOPIC_IDS = 10

export const offsetCommit = handler(OffsetCommit, {
  permissions: [
    { operation: "READ", resource: "GROUP" },
    { operation: "READ", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    const { image } = services
    const byId = context.apiVersion >= VERSION_TOPIC_IDS
    if (!context.may("READ", "GROUP", request.groupId)) {
      reply({ topics: request.topics.map((topic) => failedTopic(topic, ErrorCode.GROUP_AUTHORIZATION_FAILED)) })
      return
    }
    const mayRead = (name: string) => context.may("READ", "TOPIC", name)
    const { known, refused } = committedTopics(request.topics, byId, image, mayRead)
    if (known.length === 0) {
      reply({ topics: toldOnce(refused, byId) })
      return
    }
    const answer = services.groups
      .offsetCommit(groupContext(context), { ...request, topics: known })
      .then((response): Answer<typeof OffsetCommit> => {
        const topics = response.topics.map((topic) => ({ ...topic, topicId: idOf(image, topic.name) }))
        return { ...response, topics: toldOnce([...topics, ...refused], byId) }
      })
    replyLater(services, answer, reply)
  },
})
