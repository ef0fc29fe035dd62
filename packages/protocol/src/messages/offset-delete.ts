/**
 * OffsetDelete (key 47): removes a group's committed offsets of topics it is not subscribed to (KIP-496).
 *
 * Errors: GROUP_SUBSCRIBED_TO_TOPIC, NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, INVALID_GROUP_ID, UNKNOWN_TOPIC_OR_PARTITION,
 * COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR,
 * GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const OffsetDelete = api(
  "OffsetDelete",
  {
    groupId: string("0+"),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
      }),
    }),
  },
  {
    errorCode: int16("0+"),
    throttleTimeMs: int32("0+", { ignorable: true }),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
      }),
    }),
  },
)

export type OffsetDeleteRequest = Decoded<typeof OffsetDelete.request>
export type OffsetDeleteResponse = Decoded<typeof OffsetDelete.response>
