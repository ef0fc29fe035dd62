/**
 * Decisions about who leads a partition, when somebody asks for an election (KIP-183, KIP-460).
 *
 * The preferred leader is the first of a partition's replicas. An election is not needed where it leads already, or, for an
 * unclean one, where anybody does.
 */
import { ErrorCode } from "@millrace/protocol"
import type { ElectLeadersRequest, ElectLeadersResponse } from "@millrace/protocol/messages/elect-leaders"
import { type MetadataImage, type PartitionImage, UNCHANGED_LEADER } from "./image.ts"
import type { MetadataRecord } from "./records.ts"
import { outcomeOf, Refusal } from "./refusal.ts"
import type { Decision } from "./topics.ts"

/** Kafka's numbers for what kind of leader is looked for. */
export const ElectionType = {
  /** The first of the replicas, if it is in sync. */
  PREFERRED: 0,
  /** Any replica that lives, if none leads: records may be lost. */
  UNCLEAN: 1,
} as const

type TopicResult = ElectLeadersResponse["replicaElectionResults"][number]
type PartitionResult = TopicResult["partitionResult"][number]

/** Topics null asks for all partitions: those that need no election are left out of the answer. */
export function electLeaders(
  image: MetadataImage,
  { topicPartitions, electionType }: Pick<ElectLeadersRequest, "topicPartitions" | "electionType">,
): Decision<TopicResult[]> {
  const records: MetadataRecord[] = []
  const elected = (topic: string, partitionId: number): PartitionResult => ({
    partitionId,
    ...outcomeOf(() => void records.push(election(image, topic, partitionId, electionType))),
  })
  const response =
    topicPartitions === null
      ? [...image.topics()].map(({ name, partitions }) => ({
          topic: name,
          partitionResult: partitions
            .map(({ index }) => elected(name, index))
            .filter(({ errorCode }) => errorCode !== ErrorCode.ELECTION_NOT_NEEDED),
        }))
      : topicPartitions.map(({ topic, partitions }) => ({
          topic,
          partitionResult: partitions.map((index) => elected(topic, index)),
        }))
  return { records, response }
}

function election(image: MetadataImage, name: string, index: number, electionType: number): MetadataRecord {
  const topic = image.topic(name)
  if (!topic) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic ${name}.`)
  const partition = topic.partitions[index]
  if (!partition) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic ${name} has no partition ${index}.`)
  const live = (id: number) => image.broker(id)?.fenced === false
  const data = {
    ...{ partitionId: index, topicId: topic.topicId, replicas: null, removingReplicas: null, addingReplicas: null },
    ...{ leaderRecoveryState: -1, directories: null, eligibleLeaderReplicas: null, lastKnownElr: null },
  }
  if (electionType === ElectionType.PREFERRED) {
    const leader = preferred(partition, live)
    return { type: "PartitionChangeRecord", data: { ...data, isr: null, leader } }
  }
  const leader = anyone(partition, live)
  const isr = partition.isr.includes(leader) ? null : [leader]
  return { type: "PartitionChangeRecord", data: { ...data, isr, leader } }
}

function preferred({ replicas, isr, leader }: PartitionImage, live: (id: number) => boolean): number {
  const [first = UNCHANGED_LEADER] = replicas
  if (leader === first) throw new Refusal(ErrorCode.ELECTION_NOT_NEEDED, "The preferred leader leads already.")
  if (isr.includes(first) && live(first)) return first
  throw new Refusal(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, `Broker ${first} is not in sync, or is away.`)
}

function anyone({ replicas, isr, leader }: PartitionImage, live: (id: number) => boolean): number {
  if (leader >= 0) throw new Refusal(ErrorCode.ELECTION_NOT_NEEDED, `Broker ${leader} leads already.`)
  const next = replicas.find((id) => isr.includes(id) && live(id)) ?? replicas.find(live)
  if (next === undefined) throw new Refusal(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, "No replica lives.")
  return next
}
