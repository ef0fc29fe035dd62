/**
 * OffsetCommit (key 8): stores a group's positions. Generation -1 with no member is a commit from outside the group.
 *
 * v3 throttle time · v5 drops retentionTimeMs (KIP-211) · v6 leader epoch of the committed record (KIP-320) ·
 * v7 static members (KIP-345) · v8 flexible · v9 the new group protocol, where generation is the member epoch · v10 topic
 * ids in place of names (both KIP-848).
 *
 * Errors: OFFSET_METADATA_TOO_LARGE, INVALID_COMMIT_OFFSET_SIZE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID (10),
 * COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID,
 * REBALANCE_IN_PROGRESS, INVALID_GROUP_ID, GROUP_ID_NOT_FOUND (9+), STALE_MEMBER_EPOCH (9+), FENCED_INSTANCE_ID,
 * TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const OffsetCommit = api(
  "OffsetCommit",
  {
    groupId: string("0+"),
    generationIdOrMemberEpoch: int32("1+", { default: -1, ignorable: true }),
    memberId: string("1+", { ignorable: true }),
    groupInstanceId: string("7+", { nullable: "7+", default: null }),
    retentionTimeMs: int64("2-4", { default: -1, ignorable: true }),
    topics: structs("0+", {
      name: string("0-9", { ignorable: true }),
      topicId: uuid("10+", { ignorable: true }),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        committedOffset: int64("0+"),
        committedLeaderEpoch: int32("6+", { default: -1, ignorable: true }),
        committedMetadata: string("0+", { nullable: "0+" }),
      }),
    }),
  },
  {
    throttleTimeMs: int32("3+", { ignorable: true }),
    topics: structs("0+", {
      name: string("0-9", { ignorable: true }),
      topicId: uuid("10+", { ignorable: true }),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
      }),
    }),
  },
)

export type OffsetCommitRequest = Decoded<typeof OffsetCommit.request>
export type OffsetCommitResponse = Decoded<typeof OffsetCommit.response>
