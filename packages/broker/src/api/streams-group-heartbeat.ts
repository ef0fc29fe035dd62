/**
 * StreamsGroupHeartbeat (key 88), v0-1: a Kafka Streams instance joins, reports and is assigned tasks (KIP-1071). The broker
 * creates the internal topics of the topology on the member's behalf. Errors: see group/streams; GROUP_AUTHORIZATION_FAILED,
 * TOPIC_AUTHORIZATION_FAILED when a topic of the topology may not be described, STREAMS_INVALID_TOPOLOGY when one cannot be
 * a topic of an application. Topics that cannot be created are told in the status MISSING_INTERNAL_TOPICS.
 * Without the feature streams.version all is UNSUPPORTED_VERSION.
 */
import { ErrorCode } from "@millrace/protocol"
import {
  StreamsGroupHeartbeat,
  type StreamsGroupHeartbeatRequest,
} from "@millrace/protocol/messages/streams-group-heartbeat"
import { featureLevel, STREAMS_VERSION } from "../controller/features.ts"
import { invalidTopicName, isInternalTopic } from "../controller/topic-names.ts"
import { createTopics } from "../controller/topics.ts"
import { StreamsStatus } from "@millrace/protocol/streams-status"
import type { InternalTopic } from "../group/streams/configured-topology.ts"
import { streamsBeatAnswer } from "../group/streams/refusal.ts"
import type { RequestContext } from "../network/context.ts"
import { groupContext } from "./group-context.ts"
import { handler, replyLater, type Services } from "./handler.ts"

export const streamsGroupHeartbeat = handler(StreamsGroupHeartbeat, {
  permissions: [
    { operation: "READ", resource: "GROUP" },
    { operation: "DESCRIBE", resource: "TOPIC" },
    { operation: "CREATE", resource: "CLUSTER" },
    { operation: "CREATE", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    if (featureLevel(services.image, STREAMS_VERSION) < 1)
      return reply(streamsBeatAnswer(ErrorCode.UNSUPPORTED_VERSION))
    if (!context.may("READ", "GROUP", request.groupId))
      return reply(streamsBeatAnswer(ErrorCode.GROUP_AUTHORIZATION_FAILED))
    const topics = topicsOf(request)
    const invalid = ErrorCode.STREAMS_INVALID_TOPOLOGY
    const ours = topics.filter(isInternalTopic)
    if (ours.length > 0)
      return reply(
        streamsBeatAnswer(
          invalid,
          `Use of Kafka internal topics ${ours.join(",")} in a Kafka Streams topology is prohibited.`,
        ),
      )
    const misnamed = topics.filter((name) => invalidTopicName(name) !== undefined)
    if (misnamed.length > 0)
      return reply(streamsBeatAnswer(invalid, `Topic names ${misnamed.join(",")} are not valid topic names.`))
    if (topics.some((name) => !context.may("DESCRIBE", "TOPIC", name)))
      return reply(streamsBeatAnswer(ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    const answer = services.groups
      .streamsGroupHeartbeat(groupContext(context), request)
      .then(({ response, missing }) => {
        const failure = missing.length === 0 ? undefined : create(missing, context, services)
        if (failure === undefined) return response
        const status = (response.status ?? []).map((one) =>
          one.statusCode === StreamsStatus.MISSING_INTERNAL_TOPICS
            ? { ...one, statusDetail: `${one.statusDetail}; ${failure}` }
            : one,
        )
        return { ...response, status }
      })
    replyLater(services, answer, reply)
  },
})

const topicsOf = ({ topology }: StreamsGroupHeartbeatRequest): string[] => [
  ...new Set(
    (topology?.subtopologies ?? []).flatMap((one) => [
      ...one.sourceTopics,
      ...one.repartitionSinkTopics,
      ...[...one.repartitionSourceTopics, ...one.stateChangelogTopics].map(({ name }) => name),
    ]),
  ),
]

/** Undefined, or why topics are still missing. */
function create(missing: readonly InternalTopic[], context: RequestContext, services: Services): string | undefined {
  const { controller, image, config, newUuid } = services
  const forbidden = missing.filter(
    ({ name }) => !context.maySilently("CREATE", "CLUSTER") && !context.may("CREATE", "TOPIC", name),
  )
  if (forbidden.length > 0) return `Unauthorized to CREATE on topics ${forbidden.map(({ name }) => name).join(", ")}.`
  const topics = missing
    .filter(({ name }) => image.topic(name) === undefined)
    .map(({ name, partitions, replicationFactor, configs }) => ({
      name,
      numPartitions: partitions,
      replicationFactor: replicationFactor === 0 ? -1 : replicationFactor,
      assignments: [],
      configs: configs.map(({ key, value }) => ({ name: key, value })),
    }))
  const defaults = {
    numPartitions: config["num.partitions"],
    replicationFactor: config["default.replication.factor"],
    partitionsMax: config["metadata.max.partitions"],
  }
  // As in Kafka, what a group needs counts against nobody's quota.
  const decision = createTopics(image, { topics, validateOnly: false }, defaults, newUuid, () => {})
  const results = controller.commit(decision)
  const failed = results.filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
  if (failed.length === 0) return undefined
  return `Creation failed: ${failed.map(({ name, errorMessage }) => `${name} (${errorMessage})`).join(", ")}.`
}
