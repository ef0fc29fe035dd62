/**
 * Topics and partitions: create, delete, grow, describe, and delete their oldest records.
 */
import { ErrorCode, KafkaError, type Uuid, ZERO_UUID } from "@millrace/protocol"
import { CreatePartitions } from "@millrace/protocol/messages/create-partitions"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DeleteRecords } from "@millrace/protocol/messages/delete-records"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import type { Cluster } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import type { TopicPartition } from "../group/assignor.ts"
import type { TopicMetadata } from "../metadata/cache.ts"
import { retrying } from "../network/retry.ts"

export interface NewTopic {
  readonly name: string
  /** Default: the broker's `num.partitions`. */
  readonly partitions?: number
  /** Default: the broker's `default.replication.factor`. */
  readonly replicationFactor?: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface CreatedTopic {
  readonly name: string
  readonly topicId: Uuid
  /** -1 from brokers that do not say. */
  readonly partitions: number
}

export interface CreateTopicsOptions {
  readonly validateOnly?: boolean
  /** Topics that exist are no error; they are missing in the answer. */
  readonly ifNotExists?: boolean
  readonly timeoutMs?: number
}

/** Rejects with the first topic's error. Waits until every new topic shows in metadata with its leaders. */
export async function createTopics(
  cluster: Cluster,
  topics: readonly NewTopic[],
  options: CreateTopicsOptions = {},
): Promise<CreatedTopic[]> {
  const body = {
    topics: topics.map((topic) => ({
      name: topic.name,
      numPartitions: topic.partitions ?? -1,
      replicationFactor: topic.replicationFactor ?? -1,
      assignments: [],
      configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
    })),
    timeoutMs: options.timeoutMs ?? cluster.env.requestTimeoutMs,
    validateOnly: options.validateOnly ?? false,
  }
  const answer = await retrying(cluster.env, { what: "creating topics" }, async () => {
    const response = await (await cluster.controller()).request(CreateTopics, body)
    const moved = response.topics.find((topic) => topic.errorCode === ErrorCode.NOT_CONTROLLER)
    if (moved) throw kafkaError(moved.errorCode, "creating topics")
    return response
  })
  const created: CreatedTopic[] = []
  for (const topic of answer.topics) {
    if (topic.errorCode === ErrorCode.TOPIC_ALREADY_EXISTS && options.ifNotExists) continue
    if (topic.errorCode !== ErrorCode.NONE) {
      throw kafkaError(topic.errorCode, `creating topic ${topic.name}`, topic.errorMessage)
    }
    created.push({ name: topic.name, topicId: topic.topicId, partitions: topic.numPartitions })
  }
  if (!body.validateOnly) for (const { name } of created) await cluster.topic(name)
  return created
}

export interface DeleteTopicsOptions {
  /** Topics that do not exist are no error. */
  readonly ifExists?: boolean
  readonly timeoutMs?: number
}

export async function deleteTopics(
  cluster: Cluster,
  names: readonly string[],
  options: DeleteTopicsOptions = {},
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? cluster.env.requestTimeoutMs
  const connection = await cluster.controller()
  const answer = await connection.request(DeleteTopics, (version) =>
    version >= 6
      ? { topics: names.map((name) => ({ name, topicId: ZERO_UUID })), timeoutMs }
      : { topicNames: [...names], timeoutMs },
  )
  for (const topic of answer.responses) {
    if (topic.errorCode === ErrorCode.NONE) continue
    if (topic.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION && options.ifExists) continue
    throw kafkaError(topic.errorCode, `deleting topic ${topic.name}`, topic.errorMessage)
  }
}

/** Grows topics to the given partition counts. Waits until the new partitions show in metadata with their leaders. */
export async function createPartitions(
  cluster: Cluster,
  topics: readonly { readonly name: string; readonly count: number }[],
  options: { readonly validateOnly?: boolean; readonly timeoutMs?: number } = {},
): Promise<void> {
  const body = {
    topics: topics.map(({ name, count }) => ({ name, count, assignments: null })),
    timeoutMs: options.timeoutMs ?? cluster.env.requestTimeoutMs,
    validateOnly: options.validateOnly ?? false,
  }
  const answer = await (await cluster.controller()).request(CreatePartitions, body)
  for (const result of answer.results) {
    if (result.errorCode === ErrorCode.NONE) continue
    throw kafkaError(result.errorCode, `adding partitions to ${result.name}`, result.errorMessage)
  }
  if (body.validateOnly) return
  for (const { name, count } of topics) {
    await retrying(cluster.env, { what: `adding partitions to ${name}` }, () => cluster.leader(name, count - 1))
  }
}

export interface TopicDescription {
  readonly name: string
  readonly topicId: Uuid | undefined
  readonly internal: boolean
  readonly partitions: TopicMetadata["partitions"]
}

/** Topics that exist, in the order asked; a topic that does not exist is missing in the answer. */
export async function describeTopics(cluster: Cluster, names: readonly string[]): Promise<TopicDescription[]> {
  cluster.track(names)
  return retrying(cluster.env, { what: "describing topics" }, async () => {
    await cluster.refresh()
    const found: TopicDescription[] = []
    for (const name of names) {
      const topic = cluster.metadata.topic(name)
      if (!topic || topic.error === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue
      if (topic.error !== ErrorCode.NONE) throw kafkaError(topic.error, `topic ${name}`)
      found.push({ name, topicId: topic.topicId, internal: topic.internal, partitions: topic.partitions })
    }
    return found
  })
}

/** Names of all topics that this client may see. */
export async function listTopics(
  cluster: Cluster,
  options: { readonly includeInternal?: boolean } = {},
): Promise<string[]> {
  const topics = await retrying(cluster.env, { what: "listing topics" }, () => cluster.allTopics())
  return topics
    .filter((topic) => (options.includeInternal || !topic.internal) && topic.error === ErrorCode.NONE)
    .map((topic) => topic.name)
    .toSorted()
}

/** Deletes the records below the given offsets (-1: all) and answers each partition's new start. */
export async function deleteRecords(
  cluster: Cluster,
  offsets: readonly (TopicPartition & { readonly offset: number })[],
): Promise<(TopicPartition & { readonly lowWatermark: number })[]> {
  const done: (TopicPartition & { lowWatermark: number })[] = []
  let missing = offsets
  await retrying(cluster.env, { what: "deleting records" }, async () => {
    const byLeader = new Map<number, (TopicPartition & { readonly offset: number })[]>()
    for (const entry of missing) {
      const { leader } = await cluster.leader(entry.topic, entry.partition)
      const list = byLeader.get(leader)
      if (list) list.push(entry)
      else byLeader.set(leader, [entry])
    }
    for (const [leader, list] of byLeader) {
      const connection = await cluster.leaderNode(leader)
      const answer = await connection.request(DeleteRecords, {
        topics: [...Map.groupBy(list, ({ topic }) => topic)].map(([name, entries]) => ({
          name,
          partitions: entries.map(({ partition, offset }) => ({ partitionIndex: partition, offset })),
        })),
        timeoutMs: cluster.env.requestTimeoutMs,
      })
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode, lowWatermark } of partitions) {
          const error =
            errorCode === ErrorCode.NONE ? undefined : new KafkaError(errorCode, `${name}-${partitionIndex}`)
          if (error?.retriable) cluster.refreshSoon()
          if (error) throw error
          done.push({ topic: name, partition: partitionIndex, lowWatermark })
          missing = missing.filter((entry) => entry.topic !== name || entry.partition !== partitionIndex)
        }
      }
    }
  })
  return done
}
