/**
 * WriteTxnMarkers (key 27): the transaction coordinator has commit or abort markers written to partitions' logs (KIP-98).
 *
 * v1 flexible, and the oldest since Kafka 4.0 · v2 the transaction version that the marker belongs to (KIP-1228).
 *
 * Errors: NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION, INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED,
 * UNSUPPORTED_FOR_MESSAGE_FORMAT, KAFKA_STORAGE_ERROR, NOT_ENOUGH_REPLICAS, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, int64, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const WriteTxnMarkers = api(
  "WriteTxnMarkers",
  {
    markers: structs("0+", {
      producerId: int64("0+"),
      producerEpoch: int16("0+"),
      transactionResult: bool("0+"),
      topics: structs("0+", {
        name: string("0+"),
        partitionIndexes: int32s("0+"),
      }),
      coordinatorEpoch: int32("0+"),
      transactionVersion: int8("2+", { default: 0, ignorable: true }),
    }),
  },
  {
    markers: structs("0+", {
      producerId: int64("0+"),
      topics: structs("0+", {
        name: string("0+"),
        partitions: structs("0+", {
          partitionIndex: int32("0+"),
          errorCode: int16("0+"),
        }),
      }),
    }),
  },
)

export type WriteTxnMarkersRequest = Decoded<typeof WriteTxnMarkers.request>
export type WriteTxnMarkersResponse = Decoded<typeof WriteTxnMarkers.response>
