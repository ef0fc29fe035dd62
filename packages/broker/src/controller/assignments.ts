/**
 * Where the replicas of new partitions go. Pure: the same brokers and the same start give the same placement.
 */
import { ErrorCode } from "@millrace/protocol"
import { Refusal } from "./refusal.ts"

export interface Placement {
  /** Brokers of each new partition, the preferred leader first. */
  readonly replicas: readonly (readonly number[])[]
}

/** Spreads replicas round robin, each further round shifted by one more, so that followers of one leader differ. */
export function placeReplicas(
  brokers: readonly number[],
  partitions: number,
  replicationFactor: number,
  firstBroker: number,
): Placement {
  if (replicationFactor < 1 || replicationFactor > brokers.length) {
    throw new Refusal(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      replicationFactor < 1
        ? `Replication factor must be at least 1, not ${replicationFactor}.`
        : `Replication factor ${replicationFactor} needs as many live brokers; there are ${brokers.length}.`,
    )
  }
  const replicas = Array.from({ length: partitions }, (_, partition) => {
    const leader = (firstBroker + partition) % brokers.length
    const shift = Math.floor(partition / brokers.length) % Math.max(1, brokers.length - 1)
    return Array.from({ length: replicationFactor }, (_, replica) => {
      if (replica === 0) return brokers[leader]!
      const distance = 1 + ((shift + replica - 1) % (brokers.length - 1))
      return brokers[(leader + distance) % brokers.length]!
    })
  })
  return { replicas }
}

export interface GivenAssignment {
  readonly partitionIndex: number
  readonly brokerIds: readonly number[]
}

/** Replica lists that a request spelled out: consecutive partitions from `first`, equal sizes, known brokers. */
export function checkAssignments(
  assignments: readonly GivenAssignment[],
  first: number,
  brokers: readonly number[],
): Placement {
  const sorted = [...assignments].sort((left, right) => left.partitionIndex - right.partitionIndex)
  const size = sorted[0]?.brokerIds.length ?? 0
  sorted.forEach(({ partitionIndex, brokerIds }, index) => {
    if (partitionIndex !== first + index) throw invalid("Partitions must be numbered without gaps.")
    if (brokerIds.length === 0) throw invalid(`Partition ${partitionIndex} has no replica.`)
    if (brokerIds.length !== size) throw invalid("All partitions must have the same number of replicas.")
    if (new Set(brokerIds).size !== brokerIds.length) throw invalid(`Partition ${partitionIndex} names a broker twice.`)
    for (const id of brokerIds) if (!brokers.includes(id)) throw invalid(`There is no live broker ${id}.`)
  })
  return { replicas: sorted.map(({ brokerIds }) => brokerIds) }
}

const invalid = (message: string) => new Refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
