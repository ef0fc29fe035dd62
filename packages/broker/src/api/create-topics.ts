/**
 * CreateTopics (key 19), v2-7. v4 partitions and replicas -1 take the broker's defaults (KIP-464) · v5 settings and
 * counts in the answer (KIP-525) · v7 topic ids (KIP-516). A topic's defaults are not pinned to it: only what the request
 * sets is kept.
 *
 * Errors per topic: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
 * INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, INVALID_REQUEST, POLICY_VIOLATION, TOPIC_AUTHORIZATION_FAILED, from v6 on
 * THROTTLING_QUOTA_EXCEEDED (KIP-599).
 */
import { ErrorCode } from "@millrace/protocol"
import { CreateTopics, type CreateTopicsRequest } from "@millrace/protocol/messages/create-topics"
import { createTopics as decide } from "../controller/topics.ts"
import { type Answer, handler, type Services } from "./handler.ts"

const VERSION_STRICT_QUOTA = 6

type TopicResult = Answer<typeof CreateTopics>["topics"][number]

export const createTopics = handler(CreateTopics, {
  permissions: [
    { operation: "CREATE", resource: "CLUSTER" },
    { operation: "CREATE", resource: "TOPIC" },
    { operation: "DESCRIBE_CONFIGS", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    const { controller, image, config } = services
    const mayCreate = (name: string) => context.maySilently("CREATE", "CLUSTER") || context.may("CREATE", "TOPIC", name)
    const allowed = request.topics.filter(({ name }) => mayCreate(name))
    const refused: TopicResult[] = request.topics
      .filter(({ name }) => !mayCreate(name))
      .map(({ name }) => ({
        name,
        errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        errorMessage: "Authorization failed.",
      }))
    const defaults = {
      numPartitions: config["num.partitions"],
      replicationFactor: config["default.replication.factor"],
      partitionsMax: config["metadata.max.partitions"],
    }
    const quota = services.quotas.mutations(context, context.apiVersion >= VERSION_STRICT_QUOTA)
    const decision = decide(image, { ...request, topics: allowed }, defaults, services.newUuid, quota.charge)
    const results = controller.commit(decision)
    context.throttle(quota.throttleMs)
    const asked = new Map(allowed.map((topic) => [topic.name, topic]))
    const topics = results.map((result): TopicResult => {
      if (result.errorCode !== ErrorCode.NONE) return result
      if (context.maySilently("DESCRIBE_CONFIGS", "TOPIC", result.name)) {
        return { ...result, configs: effectiveConfigs(asked.get(result.name)!, services) }
      }
      const topicConfigErrorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED
      return { ...result, topicConfigErrorCode, numPartitions: -1, replicationFactor: -1, configs: null }
    })
    reply({ topics: [...topics, ...refused] })
  },
})

function effectiveConfigs(topic: CreateTopicsRequest["topics"][number], { configs }: Services) {
  const own: Record<string, string> = {}
  for (const { name, value } of topic.configs) if (value !== null) own[name] = value
  return configs.describeTopic(topic.name, own).map((row) => ({
    name: row.name,
    value: row.value,
    readOnly: row.readOnly,
    configSource: row.source,
    isSensitive: row.isSensitive,
  }))
}
