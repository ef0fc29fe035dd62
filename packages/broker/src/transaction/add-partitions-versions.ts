/**
 * AddPartitionsToTxn has two shapes: v0-3 is the clients', one transaction; v4+ is the brokers', many, and may only verify.
 */
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from "@millrace/protocol/messages/add-partitions-to-txn"
import { fencedError } from "./fencing.ts"
import type { TransactionPartitions } from "./metadata.ts"
import type { AddRequest, PartitionResults } from "./requests.ts"

/** PRODUCER_FENCED is known from this version on. */
const fencedAddFrom = 2

type Topics = AddPartitionsToTxnRequest["v3AndBelowTopics"]

export function partitionsOf(topics: Topics): TransactionPartitions {
  return new Map(topics.map(({ name, partitions }) => [name, new Set(partitions)]))
}

export function clientAdd(request: AddPartitionsToTxnRequest): Omit<AddRequest, "token"> {
  return {
    kind: "add-partitions",
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    partitions: partitionsOf(request.v3AndBelowTopics),
    clientTransactionVersion: 0,
  }
}

/** A broker adds partitions for clients of transaction version 2: their Produce does it implicitly. */
export function batchedAdd(transaction: AddPartitionsToTxnRequest["transactions"][number]): Omit<AddRequest, "token"> {
  const { transactionalId, producerId, producerEpoch, verifyOnly, topics } = transaction
  return {
    kind: verifyOnly ? "verify-partitions" : "add-partitions",
    transactionalId,
    producerId,
    producerEpoch,
    partitions: partitionsOf(topics),
    clientTransactionVersion: 2,
  }
}

export function addResults(
  topics: Topics,
  results: PartitionResults,
  apiVersion: number,
): AddPartitionsToTxnResponse["resultsByTopicV3AndBelow"] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: fencedError(results.error(name, partitionIndex), apiVersion, fencedAddFrom),
    })),
  }))
}
