/**
 * Metadata (key 3), v0-13: brokers, and topics with their partitions.
 *
 * v0 an empty list means all topics; from v1 null does and empty means none · v4 allowAutoTopicCreation; before that it
 * is allowed · v8 authorized operations (KIP-430) · v10 topic ids, v12 by id (KIP-516). A topic that the client may not
 * see is refused without saying whether it exists; in a list of all it is left out.
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST, LEADER_NOT_AVAILABLE,
 * INVALID_REPLICATION_FACTOR (auto-creation), TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import { Metadata, type MetadataRequest } from "@millrace/protocol/messages/metadata"
import type { PartitionImage, TopicImage } from "../controller/image.ts"
import { invalidTopicName, isInternalTopic } from "../controller/topic-names.ts"
import type { RequestContext } from "../network/context.ts"
import { authorizedOperations } from "../security/authorizer.ts"
import { type Answer, handler, type Services } from "./handler.ts"

type MetadataResponse = Answer<typeof Metadata>
type TopicResponse = MetadataResponse["topics"][number]

const NO_LEADER = -1
const VERSION_BY_ID = 12

export const metadata = handler(Metadata, {
  permissions: [
    { operation: "DESCRIBE", resource: "TOPIC" },
    { operation: "CREATE", resource: "TOPIC" },
    { operation: "CREATE", resource: "CLUSTER" },
    { operation: "DESCRIBE", resource: "CLUSTER" },
  ],
  handle(request, context, services, reply) {
    const { image, clusterId, nodeId } = services
    const topics = topicsOf(request, context, services)
    reply({
      brokers: image.liveBrokers().flatMap((broker) => {
        const endpoint = services.endpoint(broker, context)
        return endpoint ? [{ nodeId: broker.id, host: endpoint.host, port: endpoint.port, rack: broker.rack }] : []
      }),
      clusterId,
      controllerId: nodeId,
      topics,
      ...(request.includeClusterAuthorizedOperations && context.may("DESCRIBE", "CLUSTER")
        ? {
            clusterAuthorizedOperations: authorizedOperations("CLUSTER", ({ operation, resource }) =>
              context.may(operation, resource),
            ),
          }
        : {}),
    })
  },
})

function topicsOf(request: MetadataRequest, context: RequestContext, services: Services): TopicResponse[] {
  const { image } = services
  const { topics } = request
  if (topics === null || (context.apiVersion === 0 && topics.length === 0)) {
    return [...image.topics()]
      .filter(({ name }) => context.may("DESCRIBE", "TOPIC", name))
      .map((topic) => describeTopic(topic, request, context))
  }
  // Names may be null from v10 on, in answers from v12 on: whoever asks by id before is told so of all topics.
  const byId = topics.some(({ name, topicId }) => name === null || topicId !== ZERO_UUID)
  if (byId && context.apiVersion < VERSION_BY_ID) {
    return topics.map(({ name, topicId }) => failure(name ?? "", topicId, ErrorCode.INVALID_REQUEST))
  }
  return topics.map(({ name, topicId }) => {
    if (topicId !== ZERO_UUID) {
      if (name !== null && name !== "") return failure(name, topicId, ErrorCode.INVALID_REQUEST)
      const topic = image.topicById(topicId)
      if (!topic) return failure(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID)
      // The name is not told to who may not see it.
      if (!context.may("DESCRIBE", "TOPIC", topic.name)) {
        return failure(null, topicId, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      }
      return describeTopic(topic, request, context)
    }
    if (name === null) return failure("", ZERO_UUID, ErrorCode.INVALID_REQUEST)
    return byName(name, request, context, services)
  })
}

function byName(name: string, request: MetadataRequest, context: RequestContext, services: Services): TopicResponse {
  if (!context.may("DESCRIBE", "TOPIC", name)) return failure(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  const topic = services.image.topic(name)
  if (topic) return describeTopic(topic, request, context)
  if (invalidTopicName(name) !== undefined) return failure(name, ZERO_UUID, ErrorCode.INVALID_TOPIC_EXCEPTION)
  if (!request.allowAutoTopicCreation || !services.config["auto.create.topics.enable"]) {
    return failure(name, ZERO_UUID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  }
  if (!context.may("CREATE", "CLUSTER") && !context.may("CREATE", "TOPIC", name)) {
    return failure(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  }
  const quota = services.quotas.mutations(context, false)
  const error = services.internalTopics.createOnDemand(name, quota.charge)
  context.throttle(quota.throttleMs)
  const created = services.image.topic(name)
  return created ? describeTopic(created, request, context) : failure(name, ZERO_UUID, error)
}

function failure(name: string | null, topicId: string, errorCode: number): TopicResponse {
  const isInternal = name !== null && isInternalTopic(name)
  return { errorCode, name, topicId, isInternal, partitions: [] }
}

function describeTopic(topic: TopicImage, request: MetadataRequest, context: RequestContext): TopicResponse {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map(describePartition),
    ...(request.includeTopicAuthorizedOperations
      ? {
          topicAuthorizedOperations: authorizedOperations("TOPIC", ({ operation, resource }) =>
            context.may(operation, resource, topic.name),
          ),
        }
      : {}),
  }
}

function describePartition({ index, leader, leaderEpoch, replicas, isr }: PartitionImage) {
  return {
    errorCode: leader === NO_LEADER ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas: [],
  }
}
