/**
 * DeleteRecords (key 21): moves partitions' log start offsets up; offset -1 stands for the high watermark (KIP-107).
 *
 * v1 as v0 · v2 flexible.
 *
 * Errors: OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, POLICY_VIOLATION (the topic is
 * compacted only), REQUEST_TIMED_OUT, KAFKA_STORAGE_ERROR, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DeleteRecords = api(
  "DeleteRecords",
  {
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        offset: int64("0+"),
      }),
    }),
    timeoutMs: int32("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        lowWatermark: int64("0+"),
        errorCode: int16("0+"),
      }),
    }),
  },
)

export type DeleteRecordsRequest = Decoded<typeof DeleteRecords.request>
export type DeleteRecordsResponse = Decoded<typeof DeleteRecords.response>
