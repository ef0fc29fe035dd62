/**
 * ReadShareGroupState (key 84): a share partition's leader reads its delivery state from the share coordinator (KIP-932).
 *
 * Errors: NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, GROUP_ID_NOT_FOUND,
 * UNKNOWN_TOPIC_OR_PARTITION, FENCED_LEADER_EPOCH, INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, int8, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ReadShareGroupState = api(
  "ReadShareGroupState",
  {
    groupId: string("0+"),
    topics: structs("0+", {
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partition: int32("0+"),
        leaderEpoch: int32("0+"),
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
        stateEpoch: int32("0+"),
        startOffset: int64("0+"),
        stateBatches: structs("0+", {
          firstOffset: int64("0+"),
          lastOffset: int64("0+"),
          deliveryState: int8("0+"),
          deliveryCount: int16("0+"),
        }),
      }),
    }),
  },
)

export type ReadShareGroupStateRequest = Decoded<typeof ReadShareGroupState.request>
export type ReadShareGroupStateResponse = Decoded<typeof ReadShareGroupState.response>
