/**
 * TxnOffsetCommit (key 28): commits a group's offsets as part of a transaction: visible when it commits (KIP-98).
 *
 * v2 leader epoch (KIP-320) · v3 flexible, and the group's generation and member to fence zombies (KIP-447) ·
 * v4 TRANSACTION_ABORTABLE · v5 joins the transaction implicitly (KIP-890 part 2) · v6 topic ids (KIP-1319).
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, INVALID_GROUP_ID, ILLEGAL_GENERATION,
 * UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, STALE_MEMBER_EPOCH, OFFSET_METADATA_TOO_LARGE, UNKNOWN_TOPIC_OR_PARTITION,
 * UNKNOWN_TOPIC_ID (6), INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, INVALID_TXN_STATE, TRANSACTION_ABORTABLE,
 * GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const TxnOffsetCommit = api(
  "TxnOffsetCommit",
  {
    transactionalId: string("0+"),
    groupId: string("0+"),
    producerId: int64("0+"),
    producerEpoch: int16("0+"),
    generationIdOrMemberEpoch: int32("3+", { default: -1 }),
    memberId: string("3+", { default: "" }),
    groupInstanceId: string("3+", { nullable: "3+", default: null }),
    topics: structs("0+", {
      name: string("0-5", { ignorable: true }),
      topicId: uuid("6+", { ignorable: true }),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        committedOffset: int64("0+"),
        committedLeaderEpoch: int32("2+", { default: -1, ignorable: true }),
        committedMetadata: string("0+", { nullable: "0+" }),
      }),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    topics: structs("0+", {
      name: string("0-5", { ignorable: true }),
      topicId: uuid("6+", { ignorable: true }),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
      }),
    }),
  },
)

export type TxnOffsetCommitRequest = Decoded<typeof TxnOffsetCommit.request>
export type TxnOffsetCommitResponse = Decoded<typeof TxnOffsetCommit.response>
