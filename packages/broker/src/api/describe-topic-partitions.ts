/**
 * DescribeTopicPartitions (key 75), v0: partitions of topics, page by page (KIP-966). Topics come sorted by name; a page
 * has at most the smaller of the limit asked for and max.request.partition.size.limit partitions; the cursor tells where
 * the next one starts. Errors: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST (cursor),
 * TOPIC_AUTHORIZATION_FAILED, LEADER_NOT_AVAILABLE.
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsRequest,
} from "@millrace/protocol/messages/describe-topic-partitions"
import type { PartitionImage } from "../controller/image.ts"
import { invalidTopicName, isInternalTopic } from "../controller/topic-names.ts"
import type { RequestContext } from "../network/context.ts"
import { authorizedOperations } from "../security/authorizer.ts"
import { type Answer, handler, type Services } from "./handler.ts"

type Response = Answer<typeof DescribeTopicPartitions>
type Topic = Response["topics"][number]
const NO_LEADER = -1

export const describeTopicPartitions = handler(DescribeTopicPartitions, {
  permissions: [{ operation: "DESCRIBE", resource: "TOPIC" }],
  handle(request, context, services, reply) {
    const names = namesOf(request, context, services)
    const { cursor } = request
    const badCursor = cursor !== null && (cursor.partitionIndex < 0 || !names.includes(cursor.topicName))
    if (badCursor) {
      const topics = request.topics.map(({ name }) => failure(name, ErrorCode.INVALID_REQUEST))
      reply({ topics })
      return
    }
    reply(page(names, request, context, services))
  },
})

function namesOf({ topics, cursor }: DescribeTopicPartitionsRequest, context: RequestContext, { image }: Services) {
  const named = topics.length > 0
  const all = named
    ? [...new Set(topics.map(({ name }) => name))]
    : [...image.topics()].map(({ name }) => name).filter((name) => context.maySilently("DESCRIBE", "TOPIC", name))
  // Byte order, as the cursor compares.
  const sorted = all.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
  if (!named && cursor !== null && !sorted.includes(cursor.topicName)) {
    // The cursor's topic went away between two pages: go on behind it.
    return [cursor.topicName, ...sorted.filter((name) => name > cursor.topicName)]
  }
  return cursor === null ? sorted : sorted.filter((name) => name >= cursor.topicName)
}

function page(
  names: readonly string[],
  { responsePartitionLimit, cursor }: DescribeTopicPartitionsRequest,
  context: RequestContext,
  { image, config }: Services,
): Response {
  let left = Math.max(1, Math.min(responsePartitionLimit, config["max.request.partition.size.limit"]))
  const topics: Topic[] = []
  for (const name of names) {
    if (!context.may("DESCRIBE", "TOPIC", name)) {
      topics.push(failure(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED))
      continue
    }
    const topic = image.topic(name)
    if (!topic) {
      const invalid = invalidTopicName(name) !== undefined
      topics.push({
        ...failure(name, invalid ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        topicAuthorizedOperations: operationsOn(name, context),
      })
      continue
    }
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: first } }
    const shown = topic.partitions.slice(first, first + left)
    topics.push({
      errorCode: ErrorCode.NONE,
      name,
      topicId: topic.topicId,
      isInternal: isInternalTopic(name),
      partitions: shown.map(describe),
      topicAuthorizedOperations: operationsOn(name, context),
    })
    left -= shown.length
    const next = first + shown.length
    if (next < topic.partitions.length) return { topics, nextCursor: { topicName: name, partitionIndex: next } }
  }
  return { topics, nextCursor: null }
}

const operationsOn = (name: string, context: RequestContext): number =>
  authorizedOperations("TOPIC", ({ operation, resource }) => context.maySilently(operation, resource, name))

function failure(name: string, errorCode: number): Topic {
  return { errorCode, name, topicId: ZERO_UUID, isInternal: isInternalTopic(name), partitions: [] }
}

function describe({ index, leader, leaderEpoch, replicas, isr }: PartitionImage): Topic["partitions"][number] {
  return {
    errorCode: leader === NO_LEADER ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: [],
  }
}
