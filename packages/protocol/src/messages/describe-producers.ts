/**
 * DescribeProducers (key 61): the producers that a partition's leader remembers, with open transactions (KIP-664).
 *
 * Errors: NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeProducers = api(
  "DescribeProducers",
  {
    topics: structs("0+", {
      name: string("0+"),
      partitionIndexes: int32s("0+"),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        errorMessage: string("0+", { nullable: "0+", default: null }),
        activeProducers: structs("0+", {
          producerId: int64("0+"),
          producerEpoch: int32("0+"),
          lastSequence: int32("0+", { default: -1 }),
          lastTimestamp: int64("0+", { default: -1 }),
          coordinatorEpoch: int32("0+"),
          currentTxnStartOffset: int64("0+", { default: -1 }),
        }),
      }),
    }),
  },
)

export type DescribeProducersRequest = Decoded<typeof DescribeProducers.request>
export type DescribeProducersResponse = Decoded<typeof DescribeProducers.response>
