/**
 * OffsetForLeaderEpoch (key 23): where an epoch of the leader ended, to detect truncation (KIP-101, KIP-279).
 *
 * v2 currentLeaderEpoch (KIP-320) · v3 replicaId; consumers send -1 · v4 flexible. Answers epoch and offset -1 when the
 * epoch is unknown.
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
 * KAFKA_STORAGE_ERROR, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const OffsetForLeaderEpoch = api(
  "OffsetForLeaderEpoch",
  {
    replicaId: int32("3+", { default: -2, ignorable: true }),
    topics: structs("0+", {
      topic: string("0+"),
      partitions: structs("0+", {
        partition: int32("0+"),
        currentLeaderEpoch: int32("2+", { default: -1, ignorable: true }),
        leaderEpoch: int32("0+"),
      }),
    }),
  },
  {
    throttleTimeMs: int32("2+", { ignorable: true }),
    topics: structs("0+", {
      topic: string("0+"),
      partitions: structs("0+", {
        errorCode: int16("0+"),
        partition: int32("0+"),
        leaderEpoch: int32("1+", { default: -1, ignorable: true }),
        endOffset: int64("0+", { default: -1 }),
      }),
    }),
  },
)

export type OffsetForLeaderEpochRequest = Decoded<typeof OffsetForLeaderEpoch.request>
export type OffsetForLeaderEpochResponse = Decoded<typeof OffsetForLeaderEpoch.response>
