/**
 * AlterShareGroupOffsets (key 91): sets the start offsets of an empty share group (KIP-932).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, GROUP_ID_NOT_FOUND,
 * NON_EMPTY_GROUP, KAFKA_STORAGE_ERROR, INVALID_REQUEST, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AlterShareGroupOffsets = api(
  "AlterShareGroupOffsets",
  {
    groupId: string("0+"),
    topics: structs("0+", {
      topicName: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        startOffset: int64("0+"),
      }),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    responses: structs("0+", {
      topicName: string("0+"),
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        errorMessage: string("0+", { nullable: "0+", default: null }),
      }),
    }),
  },
)

export type AlterShareGroupOffsetsRequest = Decoded<typeof AlterShareGroupOffsets.request>
export type AlterShareGroupOffsetsResponse = Decoded<typeof AlterShareGroupOffsets.response>
