/**
 * Decisions about topics: create, delete, add partitions. Each is a function of (image, request) that answers with
 * records and the response; a refused topic leaves the others of its request alone. `charge` is told the partitions that
 * are about to change, and may refuse (KIP-599).
 */
import { parseOne } from "@millrace/config"
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import type { CreatePartitionsRequest, CreatePartitionsResponse } from "@millrace/protocol/messages/create-partitions"
import type { CreateTopicsRequest, CreateTopicsResponse } from "@millrace/protocol/messages/create-topics"
import { topicConfig, topicConfigFault } from "../config/topic.ts"
import { checkAssignments, placeReplicas, type Placement } from "./assignments.ts"
import { checkConfigValue } from "./configs.ts"
import { ConfigResourceType, type MetadataImage, type TopicImage } from "./image.ts"
import { DIRECTORY_UNASSIGNED, type MetadataRecord } from "./records.ts"
import { outcomeOf, Refusal } from "./refusal.ts"
import { checkTopicName, collisionKey } from "./topic-names.ts"

export interface TopicDefaults {
  readonly numPartitions: number
  readonly replicationFactor: number
  /** metadata.max.partitions */
  readonly partitionsMax: number
}

export interface Decision<Response> {
  readonly records: readonly MetadataRecord[]
  readonly response: Response
}

type CreatableTopic = CreateTopicsRequest["topics"][number]
type CreatableTopicResult = CreateTopicsResponse["topics"][number]

export function createTopics(
  image: MetadataImage,
  request: Pick<CreateTopicsRequest, "topics" | "validateOnly">,
  defaults: TopicDefaults,
  newTopicId: () => string,
  charge: (partitions: number) => void,
): Decision<CreatableTopicResult[]> {
  const records: MetadataRecord[] = []
  const response: CreatableTopicResult[] = []
  const taken = new Map<string, string>()
  for (const topic of image.topics()) taken.set(collisionKey(topic.name), topic.name)
  let partitionsLeft = defaults.partitionsMax - image.partitionCount
  const [names, duplicates] = [new Set<string>(), new Set<string>()]
  for (const { name } of request.topics) (names.has(name) ? duplicates : names).add(name)
  for (const topic of request.topics) {
    // A name given twice is answered once.
    if (!names.delete(topic.name)) continue
    const duplicate = duplicates.has(topic.name)
    response.push(
      decide(topic, () => {
        if (duplicate) throw new Refusal(ErrorCode.INVALID_REQUEST, `Topic ${topic.name} is named more than once.`)
        checkCreation(image, topic, taken)
        const placement = placementOf(image, topic, defaults)
        if (placement.replicas.length > partitionsLeft) {
          const limit = `metadata.max.partitions = ${defaults.partitionsMax}`
          throw new Refusal(ErrorCode.POLICY_VIOLATION, `The cluster would have more partitions than ${limit} allows.`)
        }
        charge(placement.replicas.length)
        const created = creationRecords(topic, placement, newTopicId())
        taken.set(collisionKey(topic.name), topic.name)
        if (!request.validateOnly) {
          partitionsLeft -= placement.replicas.length
          for (const record of created.records) records.push(record)
        }
        return {
          ...empty(topic.name),
          topicId: created.topicId,
          numPartitions: placement.replicas.length,
          replicationFactor: placement.replicas[0]!.length,
        }
      }),
    )
  }
  return { records, response }
}

function decide(topic: CreatableTopic, create: () => CreatableTopicResult): CreatableTopicResult {
  try {
    return create()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return { ...empty(topic.name), errorCode: cause.code, errorMessage: cause.message }
  }
}

const empty = (name: string): CreatableTopicResult => ({
  name,
  topicId: ZERO_UUID,
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  topicConfigErrorCode: ErrorCode.NONE,
  numPartitions: -1,
  replicationFactor: -1,
  configs: [],
})

function placementOf(image: MetadataImage, topic: CreatableTopic, defaults: TopicDefaults): Placement {
  const brokers = image.liveBrokers().map((broker) => broker.id)
  if (topic.assignments.length > 0) {
    if (topic.numPartitions !== -1 || topic.replicationFactor !== -1) {
      throw new Refusal(
        ErrorCode.INVALID_REQUEST,
        "A topic with replica assignments must leave the numbers of partitions and replicas at -1.",
      )
    }
    return checkAssignments(topic.assignments, 0, brokers)
  }
  const partitions = topic.numPartitions === -1 ? defaults.numPartitions : topic.numPartitions
  if (partitions < 1) {
    throw new Refusal(ErrorCode.INVALID_PARTITIONS, `Number of partitions must be at least 1, not ${partitions}.`)
  }
  if (partitions > defaults.partitionsMax) {
    throw new Refusal(ErrorCode.INVALID_PARTITIONS, `Number of partitions must be at most ${defaults.partitionsMax}.`)
  }
  const replicationFactor = topic.replicationFactor === -1 ? defaults.replicationFactor : topic.replicationFactor
  return placeReplicas(brokers, partitions, replicationFactor, image.partitionCount)
}

function checkCreation(image: MetadataImage, topic: CreatableTopic, taken: ReadonlyMap<string, string>): void {
  checkTopicName(topic.name)
  if (image.topic(topic.name)) {
    throw new Refusal(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${topic.name}' already exists.`)
  }
  const collision = taken.get(collisionKey(topic.name))
  if (collision !== undefined) {
    throw new Refusal(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      `Topic '${topic.name}' collides with '${collision}': "." and "_" are the same in metric names.`,
    )
  }
  for (const { name, value } of topic.configs) {
    if (value === null) throw new Refusal(ErrorCode.INVALID_CONFIG, `Config ${name} has no value.`)
    checkConfigValue(topicConfig, name, value, (text) => parseOne(topicConfig, name as keyof typeof topicConfig, text))
  }
  const fault = topicConfigFault(Object.fromEntries(topic.configs.map(({ name, value }) => [name, value!])))
  if (fault !== undefined) throw new Refusal(ErrorCode.INVALID_CONFIG, fault)
}

function creationRecords(
  topic: Pick<CreatableTopic, "name" | "configs">,
  placement: Placement,
  topicId: string,
): { topicId: string; records: MetadataRecord[] } {
  const records: MetadataRecord[] = [{ type: "TopicRecord", data: { name: topic.name, topicId } }]
  for (const { name, value } of topic.configs) {
    const data = { resourceType: ConfigResourceType.TOPIC, resourceName: topic.name, name, value }
    records.push({ type: "ConfigRecord", data })
  }
  for (const record of partitionRecords(topicId, 0, placement)) records.push(record)
  return { topicId, records }
}

function partitionRecords(topicId: string, first: number, placement: Placement): MetadataRecord[] {
  return placement.replicas.map((replicas, index) => ({
    type: "PartitionRecord",
    data: {
      partitionId: first + index,
      topicId,
      replicas: [...replicas],
      isr: [...replicas],
      removingReplicas: [],
      addingReplicas: [],
      leader: replicas[0]!,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map(() => DIRECTORY_UNASSIGNED),
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    },
  }))
}

export function deleteTopic(image: MetadataImage, topic: TopicImage): MetadataRecord[] {
  // Its settings go with it: kept, they would rise again with a new topic of the name.
  const configs = Object.keys(image.configs(ConfigResourceType.TOPIC, topic.name)).map((name): MetadataRecord => {
    const data = { resourceType: ConfigResourceType.TOPIC, resourceName: topic.name, name, value: null }
    return { type: "ConfigRecord", data }
  })
  return [...configs, { type: "RemoveTopicRecord", data: { topicId: topic.topicId } }]
}

export function createPartitions(
  image: MetadataImage,
  request: Pick<CreatePartitionsRequest, "topics" | "validateOnly">,
  partitionsMax: number,
  charge: (partitions: number) => void,
): Decision<CreatePartitionsResponse["results"]> {
  const records: MetadataRecord[] = []
  const response = request.topics.map((topic) => ({
    name: topic.name,
    ...outcomeOf(() => {
      const found = image.topic(topic.name)
      if (!found) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${topic.name}'.`)
      const placement = addedPlacement(image, found, topic, partitionsMax)
      charge(placement.replicas.length)
      if (request.validateOnly) return
      for (const record of partitionRecords(found.topicId, found.partitions.length, placement)) records.push(record)
    }),
  }))
  return { records, response }
}

function addedPlacement(
  image: MetadataImage,
  topic: TopicImage,
  wanted: CreatePartitionsRequest["topics"][number],
  partitionsMax: number,
): Placement {
  const present = topic.partitions.length
  const added = wanted.count - present
  const invalid = (message: string) => new Refusal(ErrorCode.INVALID_PARTITIONS, message)
  if (added === 0) throw invalid(`Topic already has ${present} partition(s).`)
  if (added < 0) throw invalid(`Topic has ${present} partition(s), and partitions cannot be removed.`)
  if (image.partitionCount + added > partitionsMax) {
    throw invalid(`The cluster would have more partitions than metadata.max.partitions = ${partitionsMax} allows.`)
  }
  const brokers = image.liveBrokers().map((broker) => broker.id)
  if (wanted.assignments === null) {
    return placeReplicas(brokers, added, topic.partitions[0]!.replicas.length, present)
  }
  if (wanted.assignments.length !== added) {
    throw new Refusal(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `${added} partition(s) are added, but ${wanted.assignments.length} assignment(s) are given.`,
    )
  }
  const given = wanted.assignments.map(({ brokerIds }, index) => ({ partitionIndex: present + index, brokerIds }))
  return checkAssignments(given, present, brokers)
}
