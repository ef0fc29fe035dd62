/**
 * AlterPartition (key 56): a partition's leader asks the controller for another set of in-sync replicas (KIP-497).
 *
 * v2 topic ids and the recovery state, the oldest since Kafka 4.0 · v3 the set with broker epochs, so that a restarted
 * broker is told from its former self (KIP-903).
 *
 * Errors: NOT_CONTROLLER, STALE_BROKER_EPOCH, FENCED_LEADER_EPOCH, INVALID_UPDATE_VERSION, INVALID_REQUEST,
 * UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, INELIGIBLE_REPLICA, NEW_LEADER_ELECTED, OPERATION_NOT_ATTEMPTED,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, int64, int8, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AlterPartition = api(
  "AlterPartition",
  {
    brokerId: int32("0+"),
    brokerEpoch: int64("0+", { default: -1 }),
    topics: structs("0+", {
      topicId: uuid("2+", { ignorable: true }),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        leaderEpoch: int32("0+"),
        newIsr: int32s("0-2"),
        newIsrWithEpochs: structs("3+", {
          brokerId: int32("3+"),
          brokerEpoch: int64("3+", { default: -1 }),
        }),
        leaderRecoveryState: int8("1+", { default: 0 }),
        partitionEpoch: int32("0+"),
      }),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    topics: structs("0+", {
      topicId: uuid("2+", { ignorable: true }),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        leaderId: int32("0+"),
        leaderEpoch: int32("0+"),
        isr: int32s("0+"),
        leaderRecoveryState: int8("1+", { default: 0, ignorable: true }),
        partitionEpoch: int32("0+"),
      }),
    }),
  },
)

export type AlterPartitionRequest = Decoded<typeof AlterPartition.request>
export type AlterPartitionResponse = Decoded<typeof AlterPartition.response>
