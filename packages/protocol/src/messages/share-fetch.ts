/**
 * ShareFetch (key 78): acquires records for a share group's member, and acknowledges earlier ones on the way (KIP-932).
 *
 * Acknowledge types: 0 gap, 1 accept, 2 release, 3 reject, 4 renew. v1 the first stable version · v2 acquire mode
 * (KIP-1206) and renewal of the acquisition lock (KIP-1222).
 *
 * Errors: SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH, SHARE_SESSION_LIMIT_REACHED, UNKNOWN_TOPIC_OR_PARTITION,
 * UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER, INVALID_RECORD_STATE, KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE, INVALID_REQUEST,
 * GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import {
  bool,
  int16,
  int32,
  int32s,
  int64,
  int8,
  int8s,
  records,
  string,
  struct,
  structs,
  uuid,
} from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ShareFetch = api(
  "ShareFetch",
  {
    groupId: string("0+", { nullable: "0+", default: null }),
    memberId: string("0+", { nullable: "0+" }),
    shareSessionEpoch: int32("0+"),
    maxWaitMs: int32("0+"),
    minBytes: int32("0+"),
    maxBytes: int32("0+", { default: 2147483647 }),
    maxRecords: int32("1+"),
    batchSize: int32("1+"),
    shareAcquireMode: int8("2+", { default: 0, ignorable: true }),
    isRenewAck: bool("2+", { default: false }),
    topics: structs("0+", {
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        partitionMaxBytes: int32("0"),
        acknowledgementBatches: structs("0+", {
          firstOffset: int64("0+"),
          lastOffset: int64("0+"),
          acknowledgeTypes: int8s("0+"),
        }),
      }),
    }),
    forgottenTopicsData: structs("0+", {
      topicId: uuid("0+"),
      partitions: int32s("0+"),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    acquisitionLockTimeoutMs: int32("1+"),
    responses: structs("0+", {
      topicId: uuid("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        errorMessage: string("0+", { nullable: "0+", default: null }),
        acknowledgeErrorCode: int16("0+"),
        acknowledgeErrorMessage: string("0+", { nullable: "0+", default: null }),
        currentLeader: struct("0+", {
          leaderId: int32("0+"),
          leaderEpoch: int32("0+"),
        }),
        records: records("0+", { nullable: "0" }),
        acquiredRecords: structs("0+", {
          firstOffset: int64("0+"),
          lastOffset: int64("0+"),
          deliveryCount: int16("0+"),
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

export type ShareFetchRequest = Decoded<typeof ShareFetch.request>
export type ShareFetchResponse = Decoded<typeof ShareFetch.response>
