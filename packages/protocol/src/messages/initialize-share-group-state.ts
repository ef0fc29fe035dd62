/**
 * InitializeShareGroupState (key 83): the group coordinator sets a share partition's start offset and state epoch at the
 * share coordinator (KIP-932).
 *
 * Errors: NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, FENCED_STATE_EPOCH, INVALID_REQUEST,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const InitializeShareGroupState = api(
  "InitializeShareGroupState",
  {
    groupId: string("0+"),
    topics: structs("0+", {
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partition: int32("0+"),
        stateEpoch: int32("0+"),
        startOffset: int64("0+"),
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

export type InitializeShareGroupStateRequest = Decoded<typeof InitializeShareGroupState.request>
export type InitializeShareGroupStateResponse = Decoded<typeof InitializeShareGroupState.response>
