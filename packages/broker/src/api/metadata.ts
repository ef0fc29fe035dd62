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
    if (context.apiVersion < VERSION_BY_ID && namesById(request)) {
      const topics = request.topics!.map(({ name, topicId }) => failure(name ?? "", topicId, ErrorCode.INVALID_REQUEST))
      reply({ brokers: [], topics })
      return
    }
    const topics = topicsOf(request, context, services)
    reply({
      brokers: image.liveBrokers().flatMap((broker) => {
        const endpoint = services.endpoint(broker, context)
        return endpoint ? [{ nodeId: broker.id, host: endpoint.host, port: endpoint.port, rack: broker.rack }] : []
      }),
      clusterId,
      controllerId: nodeId,
      topics,
      ...(request.includeClusterAuthorizedOperations
        ? { clusterAuthorizedOperations: clusterOperations(context) }
        : {}),
    })
  },
})

/** Names may be null from v10 on, in answers from v12 on: who asks by id before is told so of all topics. */
function namesById({ topics }: MetadataRequest): boolean {
  return topics !== null && topics.some(({ name, topicId }) => name === null || topicId !== ZERO_UUID)
}

/** None at all for who may not see the cluster. */
export function clusterOperations(context: RequestContext): number {
  if (!context.may("DESCRIBE", "CLUSTER")) return 0
  return authorizedOperations("CLUSTER", ({ operation, resource }) => context.maySilently(operation, resource))
}

function topicsOf(request: MetadataRequest, context: RequestContext, services: Services): TopicResponse[] {
  const { image } = services
  const { topics } = request
  if (topics === null || (context.apiVersion === 0 && topics.length === 0)) {
    return [...image.topics()]
      .filter(({ name }) => context.maySilently("DESCRIBE", "TOPIC", name))
      .map((topic) => describeTopic(topic, request, context))
  }
  // One id, and names mean nothing.
  const ids = new Set(topics.map(({ topicId }) => topicId).filter((topicId) => topicId !== ZERO_UUID))
  if (ids.size > 0) return [...ids].map((topicId) => byId(topicId, request, context, services))
  return [...new Set(topics.map(({ name }) => name))].map((name) =>
    name === null ? failure("", ZERO_UUID, ErrorCode.INVALID_REQUEST) : byName(name, request, context, services),
  )
}

function byId(topicId: string, request: MetadataRequest, context: RequestContext, { image }: Services): TopicResponse {
  const topic = image.topicById(topicId)
  if (!topic) return failure(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID)
  // The name is not told to who may not see it.
  const mayDescribe = context.may("DESCRIBE", "TOPIC", topic.name)
  return mayDescribe
    ? describeTopic(topic, request, context)
    : failure(null, topicId, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
}

function byName(name: string, request: MetadataRequest, context: RequestContext, services: Services): TopicResponse {
  if (!context.may("DESCRIBE", "TOPIC", name)) return failure(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  const topic = services.image.topic(name)
  if (topic) return describeTopic(topic, request, context)
  const operations = topicOperations(name, request, context)
  const failed = (errorCode: number) => ({
    ...failure(name, ZERO_UUID, errorCode),
    isInternal: isInternalTopic(name),
    ...operations,
  })
  if (invalidTopicName(name) !== undefined) return failed(ErrorCode.INVALID_TOPIC_EXCEPTION)
  if (!request.allowAutoTopicCreation || !services.config["auto.create.topics.enable"]) {
    return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  }
  if (!context.maySilently("CREATE", "CLUSTER") && !context.may("CREATE", "TOPIC", name)) {
    return failure(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  }
  const quota = services.quotas.mutations(context, false)
  const error = services.internalTopics.createOnDemand(name, quota.charge)
  context.throttle(quota.throttleMs)
  const created = services.image.topic(name)
  return created ? describeTopic(created, request, context) : failed(error)
}

function failure(name: string | null, topicId: string, errorCode: number): TopicResponse {
  return { errorCode, name, topicId, isInternal: false, partitions: [] }
}

function topicOperations(name: string, request: MetadataRequest, context: RequestContext) {
  if (!request.includeTopicAuthorizedOperations) return {}
  const topicAuthorizedOperations = authorizedOperations("TOPIC", ({ operation, resource }) =>
    context.maySilently(operation, resource, name),
  )
  return { topicAuthorizedOperations }
}

function describeTopic(topic: TopicImage, request: MetadataRequest, context: RequestContext): TopicResponse {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map(describePartition),
    ...topicOperations(topic.name, request, context),
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
