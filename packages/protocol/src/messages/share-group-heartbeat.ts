/**
 * ShareGroupHeartbeat (key 76): join, stay in and leave a share group; the assignment comes with the answer (KIP-932).
 *
 * v0 was early access in 4.0 and is gone · v1.
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, GROUP_ID_NOT_FOUND,
 * UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, GROUP_MAX_SIZE_REACHED, INVALID_REQUEST, GROUP_AUTHORIZATION_FAILED,
 * TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, string, strings, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

const topicPartitions = {
  topicId: uuid("0+"),
  partitions: int32s("0+"),
}

export const ShareGroupHeartbeat = api(
  "ShareGroupHeartbeat",
  {
    groupId: string("0+"),
    memberId: string("0+"),
    memberEpoch: int32("0+"),
    rackId: string("0+", { nullable: "0+", default: null }),
    subscribedTopicNames: strings("0+", { nullable: "0+", default: null }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    memberId: string("0+", { nullable: "0+", default: null }),
    memberEpoch: int32("0+"),
    heartbeatIntervalMs: int32("0+"),
    assignment: struct(
      "0+",
      { nullable: "0+", default: null },
      {
        topicPartitions: structs("0+", topicPartitions),
      },
    ),
  },
)

export type ShareGroupHeartbeatRequest = Decoded<typeof ShareGroupHeartbeat.request>
export type ShareGroupHeartbeatResponse = Decoded<typeof ShareGroupHeartbeat.response>
