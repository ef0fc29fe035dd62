/**
 * ShareAcknowledge (key 79): acknowledges acquired records without fetching more (KIP-932).
 *
 * v1 the first stable version · v2 renewal of the acquisition lock (KIP-1222).
 *
 * Errors: SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID,
 * NOT_LEADER_OR_FOLLOWER, INVALID_RECORD_STATE, KAFKA_STORAGE_ERROR, INVALID_REQUEST, GROUP_AUTHORIZATION_FAILED,
 * TOPIC_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int64, int8s, string, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ShareAcknowledge = api(
  "ShareAcknowledge",
  {
    groupId: string("0+", { nullable: "0+", default: null }),
    memberId: string("0+", { nullable: "0+" }),
    shareSessionEpoch: int32("0+"),
    isRenewAck: bool("2+", { default: false }),
    topics: structs("0+", {
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        acknowledgementBatches: structs("0+", {
          firstOffset: int64("0+"),
          lastOffset: int64("0+"),
          acknowledgeTypes: int8s("0+"),
        }),
      }),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    acquisitionLockTimeoutMs: int32("2+", { ignorable: true }),
    responses: structs("0+", {
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        errorMessage: string("0+", { nullable: "0+", default: null }),
        currentLeader: struct("0+", {
          leaderId: int32("0+"),
          leaderEpoch: int32("0+"),
        }),
      }),
    }),
    nodeEndpoints: structs("0+", {
      nodeId: int32("0+"),
      host: string("0+"),
      port: int32("0+"),
      rack: string("0+", { nullable: "0+", default: null }),
    }),
  },
)

export type ShareAcknowledgeRequest = Decoded<typeof ShareAcknowledge.request>
export type ShareAcknowledgeResponse = Decoded<typeof ShareAcknowledge.response>
