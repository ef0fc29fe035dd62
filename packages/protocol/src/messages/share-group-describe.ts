/**
 * ShareGroupDescribe (key 77): state and members of share groups (KIP-932).
 *
 * v0 was early access in 4.0 and is gone · v1.
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_GROUP_ID,
 * GROUP_ID_NOT_FOUND, INVALID_REQUEST, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, string, strings, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

const topicPartitions = {
  topicId: uuid("0+"),
  topicName: string("0+"),
  partitions: int32s("0+"),
}

const assignment = {
  topicPartitions: structs("0+", topicPartitions),
}

export const ShareGroupDescribe = api(
  "ShareGroupDescribe",
  {
    groupIds: strings("0+"),
    includeAuthorizedOperations: bool("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    groups: structs("0+", {
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+", default: null }),
      groupId: string("0+"),
      groupState: string("0+"),
      groupEpoch: int32("0+"),
      assignmentEpoch: int32("0+"),
      assignorName: string("0+"),
      members: structs("0+", {
        memberId: string("0+"),
        rackId: string("0+", { nullable: "0+", default: null }),
        memberEpoch: int32("0+"),
        clientId: string("0+"),
        clientHost: string("0+"),
        subscribedTopicNames: strings("0+"),
        assignment: struct("0+", assignment),
      }),
      authorizedOperations: int32("0+", { default: -2147483648 }),
    }),
  },
)

export type ShareGroupDescribeRequest = Decoded<typeof ShareGroupDescribe.request>
export type ShareGroupDescribeResponse = Decoded<typeof ShareGroupDescribe.response>
