/**
 * DeleteShareGroupState (key 86): removes the delivery state of share partitions (KIP-932).
 *
 * Errors: NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, GROUP_ID_NOT_FOUND,
 * UNKNOWN_TOPIC_OR_PARTITION, FENCED_STATE_EPOCH, INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DeleteShareGroupState = api(
  "DeleteShareGroupState",
  {
    groupId: string("0+"),
    topics: structs("0+", {
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partition: int32("0+"),
      }),
    }),
  },
  {
    results: structs("0+", {
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partition: int32("0+"),
        errorCode: int16("0+"),
        errorMessage: string("0+", { nullable: "0+", default: null }),
      }),
    }),
  },
)

export type DeleteShareGroupStateRequest = Decoded<typeof DeleteShareGroupState.request>
export type DeleteShareGroupStateResponse = Decoded<typeof DeleteShareGroupState.response>
