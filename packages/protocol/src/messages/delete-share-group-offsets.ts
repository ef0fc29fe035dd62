/**
 * DeleteShareGroupOffsets (key 92): forgets topics of an empty share group (KIP-932).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, GROUP_ID_NOT_FOUND,
 * NON_EMPTY_GROUP, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST, GROUP_AUTHORIZATION_FAILED,
 * TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DeleteShareGroupOffsets = api(
  "DeleteShareGroupOffsets",
  {
    groupId: string("0+"),
    topics: structs("0+", {
      topicName: string("0+"),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    responses: structs("0+", {
      topicName: string("0+"),
      topicId: uuid("0+"),
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+", default: null }),
    }),
  },
)

export type DeleteShareGroupOffsetsRequest = Decoded<typeof DeleteShareGroupOffsets.request>
export type DeleteShareGroupOffsetsResponse = Decoded<typeof DeleteShareGroupOffsets.response>
