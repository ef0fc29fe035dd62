/**
 * ConsumerGroupDescribe (key 69): groups of the new protocol, members with current and target assignment (KIP-848).
 *
 * v1 whether a member speaks the classic protocol (KIP-1099).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_REQUEST,
 * INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, int8, string, strings, struct, structs, uuid } from "../schema/field.ts"
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

export const ConsumerGroupDescribe = api(
  "ConsumerGroupDescribe",
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
        instanceId: string("0+", { nullable: "0+", default: null }),
        rackId: string("0+", { nullable: "0+", default: null }),
        memberEpoch: int32("0+"),
        clientId: string("0+"),
        clientHost: string("0+"),
        subscribedTopicNames: strings("0+"),
        subscribedTopicRegex: string("0+", { nullable: "0+", default: null }),
        assignment: struct("0+", assignment),
        targetAssignment: struct("0+", assignment),
        memberType: int8("1+", { default: -1, ignorable: true }),
      }),
      authorizedOperations: int32("0+", { default: -2147483648 }),
    }),
  },
)

export type ConsumerGroupDescribeRequest = Decoded<typeof ConsumerGroupDescribe.request>
export type ConsumerGroupDescribeResponse = Decoded<typeof ConsumerGroupDescribe.response>
