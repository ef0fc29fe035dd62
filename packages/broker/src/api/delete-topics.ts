/**
 * DeleteTopics (key 20), v1-6, by name or, from v6, by id. Files go at once, behind the answer. Errors per topic:
 * UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_REQUEST (named twice, or by name and id: it is not deleted),
 * TOPIC_DELETION_DISABLED, TOPIC_AUTHORIZATION_FAILED, from v5 on THROTTLING_QUOTA_EXCEEDED (KIP-599).
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import type { MetadataImage, TopicImage } from "../controller/image.ts"
import { Refusal } from "../controller/refusal.ts"
import { deleteTopic } from "../controller/topics.ts"
import { type Answer, handler } from "./handler.ts"

type TopicResult = Answer<typeof DeleteTopics>["responses"][number]
const VERSION_BY_ID = 6
const VERSION_DISABLED_CODE = 3
const VERSION_STRICT_QUOTA = 5

export const deleteTopics = handler(DeleteTopics, {
  permissions: [
    { operation: "DELETE", resource: "TOPIC" },
    { operation: "DESCRIBE", resource: "TOPIC" },
  ],
  handle(request, context, { image, controller, config, quotas, counters }, reply) {
    const asked =
      context.apiVersion >= VERSION_BY_ID
        ? request.topics
        : request.topicNames.map((name) => ({ name: name as string | null, topicId: ZERO_UUID }))
    const { once, repeated } = eachOnce(asked, image)
    const disabled = !config["delete.topic.enable"]
    const chosen = new Set<TopicImage>()
    const quota = quotas.mutations(context, context.apiVersion >= VERSION_STRICT_QUOTA)
    const failure = (name: string | null, topicId: string, errorCode: number, errorMessage: string | null = null) => ({
      name,
      topicId,
      errorCode,
      errorMessage,
    })
    const decide = (name: string | null, topicId: string): TopicResult => {
      if (disabled) {
        const known = context.apiVersion >= VERSION_DISABLED_CODE
        const code = known ? ErrorCode.TOPIC_DELETION_DISABLED : ErrorCode.INVALID_REQUEST
        return failure(name, topicId, code, "delete.topic.enable is false.")
      }
      const byId = topicId !== ZERO_UUID
      if (byId === (name !== null)) {
        return failure(name, topicId, ErrorCode.INVALID_REQUEST, "A topic must be named by its name or by its id.")
      }
      if (repeated.has(keyOf({ name, topicId }))) {
        return failure(name, topicId, ErrorCode.INVALID_REQUEST, "Duplicate topic.")
      }
      const topic = byId ? image.topicById(topicId) : image.topic(name!)
      const mayDescribe = topic !== undefined && context.maySilently("DESCRIBE", "TOPIC", topic.name)
      if (byId && !topic) return failure(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID)
      const resolved = topic?.name ?? name!
      if (!context.may("DELETE", "TOPIC", resolved)) {
        // The name of a topic that may not be seen is not given away.
        const shown = byId && !mayDescribe ? null : resolved
        return failure(shown, topicId, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      }
      if (!topic) return failure(name, ZERO_UUID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      if (repeated.has(keyOf({ name: null, topicId: topic.topicId }))) {
        return failure(resolved, topic.topicId, ErrorCode.INVALID_REQUEST, "The topic is named by its id, too.")
      }
      try {
        quota.charge(topic.partitions.length)
      } catch (cause) {
        if (!(cause instanceof Refusal)) throw cause
        return failure(resolved, topic.topicId, cause.code, cause.message)
      }
      chosen.add(topic)
      return failure(resolved, topic.topicId, ErrorCode.NONE)
    }
    const decided = once.map(({ name, topicId }) => decide(name, topicId))
    const records = [...chosen].flatMap((topic) => deleteTopic(image, topic))
    const responses = controller.commit({ records, response: decided })
    for (const { name, topicId } of chosen) if (image.topicById(topicId) === undefined) counters.forget(name)
    context.throttle(quota.throttleMs)
    reply({ responses })
  },
})

interface Asked {
  readonly name: string | null
  readonly topicId: string
}

const keyOf = ({ name, topicId }: Asked): string => (name === null ? `id ${topicId}` : `name ${name}`)

/** Each name and id once, for one answer, and those that came more often or, as an id, beside their name: not deleted. */
function eachOnce(asked: readonly Asked[], image: MetadataImage) {
  const seen = new Map<string, Asked>()
  const repeated = new Set<string>()
  for (const topic of asked) {
    const key = keyOf(topic)
    if (seen.has(key)) repeated.add(key)
    seen.set(key, topic)
  }
  for (const { name } of asked) {
    const topicId = name === null ? undefined : image.topic(name)?.topicId
    if (topicId === undefined) continue
    const key = keyOf({ name: null, topicId })
    if (seen.delete(key)) repeated.add(key)
  }
  return { once: [...seen.values()], repeated }
}
