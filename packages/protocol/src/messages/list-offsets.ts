/**
 * ListOffsets (key 2): the offset of a partition for a timestamp, or for one of the special timestamps below.
 *
 * -1 latest · -2 earliest · -3 offset of the largest timestamp (v7, KIP-734) · -4 earliest local (v8, KIP-405) ·
 * -5 latest tiered (v9, KIP-1005) · -6 earliest pending upload (v11, KIP-1023).
 * v2 isolation level · v4 leader epochs (KIP-320) · v6 flexible · v10 timeoutMs for remote lookups (KIP-1075).
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
 * OFFSET_NOT_AVAILABLE, LEADER_NOT_AVAILABLE, UNSUPPORTED_FOR_MESSAGE_FORMAT, UNSUPPORTED_VERSION, KAFKA_STORAGE_ERROR,
 * REQUEST_TIMED_OUT, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ListOffsets = api(
  "ListOffsets",
  {
    replicaId: int32("0+"),
    isolationLevel: int8("2+"),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        currentLeaderEpoch: int32("4+", { default: -1, ignorable: true }),
        timestamp: int64("0+"),
      }),
    }),
    timeoutMs: int32("10+", { ignorable: true }),
  },
  {
    throttleTimeMs: int32("2+", { ignorable: true }),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        timestamp: int64("1+", { default: -1 }),
        offset: int64("1+", { default: -1 }),
        leaderEpoch: int32("4+", { default: -1 }),
      }),
    }),
  },
)

export type ListOffsetsRequest = Decoded<typeof ListOffsets.request>
export type ListOffsetsResponse = Decoded<typeof ListOffsets.response>
