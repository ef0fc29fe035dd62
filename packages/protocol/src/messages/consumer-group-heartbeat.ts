/**
 * ConsumerGroupHeartbeat (key 68): the one call of the new consumer group protocol: join, report, be assigned, leave
 * (KIP-848).
 *
 * Epoch 0 joins, -1 leaves, -2 leaves as a static member that will be back. Fields are null, or -1, when unchanged since
 * the last heartbeat. v1 subscription by regular expression, and members choose their own id (KIP-1082).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_REQUEST,
 * GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, UNSUPPORTED_ASSIGNOR, UNRELEASED_INSTANCE_ID,
 * GROUP_MAX_SIZE_REACHED, INVALID_REGULAR_EXPRESSION (1), GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, string, strings, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

const topicPartitions = {
  topicId: uuid("0+"),
  partitions: int32s("0+"),
}

export const ConsumerGroupHeartbeat = api(
  "ConsumerGroupHeartbeat",
  {
    groupId: string("0+"),
    memberId: string("0+"),
    memberEpoch: int32("0+"),
    instanceId: string("0+", { nullable: "0+", default: null }),
    rackId: string("0+", { nullable: "0+", default: null }),
    rebalanceTimeoutMs: int32("0+", { default: -1 }),
    subscribedTopicNames: strings("0+", { nullable: "0+", default: null }),
    subscribedTopicRegex: string("1+", { nullable: "1+", default: null }),
    serverAssignor: string("0+", { nullable: "0+", default: null }),
    topicPartitions: structs(
      "0+",
      { nullable: "0+", default: null },
      {
        topicId: uuid("0+"),
        partitions: int32s("0+"),
      },
    ),
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

export type ConsumerGroupHeartbeatRequest = Decoded<typeof ConsumerGroupHeartbeat.request>
export type ConsumerGroupHeartbeatResponse = Decoded<typeof ConsumerGroupHeartbeat.response>
