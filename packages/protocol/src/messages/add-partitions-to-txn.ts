/**
 * AddPartitionsToTxn (key 24): adds partitions to a transaction before the first write to them (KIP-98).
 *
 * v3 flexible, the last version for clients · v4 brokers send many transactions at once and may only verify (KIP-890) ·
 * v5 TRANSACTION_ABORTABLE.
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, CONCURRENT_TRANSACTIONS,
 * INVALID_PRODUCER_ID_MAPPING, INVALID_PRODUCER_EPOCH, PRODUCER_FENCED (2+), INVALID_TXN_STATE, OPERATION_NOT_ATTEMPTED,
 * UNKNOWN_TOPIC_OR_PARTITION, TRANSACTION_ABORTABLE, TOPIC_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
 * CLUSTER_AUTHORIZATION_FAILED (4+).
 */
import { bool, int16, int32, int32s, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

const addPartitionsToTxnTopic = {
  name: string("0+"),
  partitions: int32s("0+"),
}

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32("0+"),
  partitionErrorCode: int16("0+"),
}

const addPartitionsToTxnTopicResult = {
  name: string("0+"),
  resultsByPartition: structs("0+", addPartitionsToTxnPartitionResult),
}

export const AddPartitionsToTxn = api(
  "AddPartitionsToTxn",
  {
    transactions: structs("4+", {
      transactionalId: string("4+"),
      producerId: int64("4+"),
      producerEpoch: int16("4+"),
      verifyOnly: bool("4+", { default: false }),
      topics: structs("4+", addPartitionsToTxnTopic),
    }),
    v3AndBelowTransactionalId: string("0-3"),
    v3AndBelowProducerId: int64("0-3"),
    v3AndBelowProducerEpoch: int16("0-3"),
    v3AndBelowTopics: structs("0-3", addPartitionsToTxnTopic),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("4+", { ignorable: true }),
    resultsByTransaction: structs("4+", {
      transactionalId: string("4+"),
      topicResults: structs("4+", addPartitionsToTxnTopicResult),
    }),
    resultsByTopicV3AndBelow: structs("0-3", addPartitionsToTxnTopicResult),
  },
)

export type AddPartitionsToTxnRequest = Decoded<typeof AddPartitionsToTxn.request>
export type AddPartitionsToTxnResponse = Decoded<typeof AddPartitionsToTxn.response>
