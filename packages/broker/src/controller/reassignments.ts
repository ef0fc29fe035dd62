/**
 * Decisions about moving partitions to other replicas (KIP-455).
 *
 * Nothing copies a partition to another broker, so that the only assignment which is accepted is the one that a partition has:
 * on one broker, every one that names registered brokers. No reassignment is ever in progress, and there is none to cancel.
 */
import { ErrorCode } from "@millrace/protocol"
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from "@millrace/protocol/messages/alter-partition-reassignments"
import type { MetadataImage } from "./image.ts"
import { outcomeOf, Refusal } from "./refusal.ts"

type Asked = Pick<AlterPartitionReassignmentsRequest, "topics" | "allowReplicationFactorChange">
type Responses = AlterPartitionReassignmentsResponse["responses"]
type ReassignablePartition = Asked["topics"][number]["partitions"][number]

export function alterPartitionReassignments(image: MetadataImage, asked: Asked): Responses {
  return asked.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => ({
      partitionIndex: partition.partitionIndex,
      ...outcomeOf(() => check(image, name, partition, asked.allowReplicationFactorChange)),
    })),
  }))
}

function check(
  image: MetadataImage,
  name: string,
  { partitionIndex, replicas }: ReassignablePartition,
  mayChangeReplicationFactor: boolean,
): void {
  const partition = image.partition(name, partitionIndex)
  if (!partition)
    throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no partition ${name}-${partitionIndex}.`)
  if (replicas === null)
    throw new Refusal(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, `${name}-${partitionIndex} is not being moved.`)
  if (replicas.length === 0) throw invalid("The list of replicas is empty.")
  if (new Set(replicas).size !== replicas.length) throw invalid("A broker is named more than once.")
  for (const id of replicas) if (!image.broker(id)) throw invalid(`There is no broker ${id}.`)
  if (!mayChangeReplicationFactor && replicas.length !== partition.replicas.length) {
    const [now, then] = [partition.replicas.length, replicas.length]
    throw new Refusal(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `The replication factor would change from ${now} to ${then}.`,
    )
  }
  if (replicas.length !== partition.replicas.length || replicas.some((id, index) => partition.replicas[index] !== id))
    throw invalid(`${name}-${partitionIndex} cannot be moved away from broker ${partition.replicas.join()}.`)
}

const invalid = (message: string) => new Refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
