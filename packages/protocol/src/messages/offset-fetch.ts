/**
 * OffsetFetch (key 9): reads a group's committed positions; a partition without one answers offset -1.
 *
 * v2 all partitions of the group by topics null, and a group-level error · v5 leader epoch (KIP-320) · v6 flexible ·
 * v7 requireStable: refuse while a transaction holds offsets back (KIP-447) · v8 many groups in one request (KIP-709) ·
 * v9 member id and epoch · v10 topic ids in place of names (both KIP-848).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_GROUP_ID,
 * UNSTABLE_OFFSET_COMMIT (7+), UNKNOWN_MEMBER_ID (9+), STALE_MEMBER_EPOCH (9+), UNKNOWN_TOPIC_OR_PARTITION,
 * UNKNOWN_TOPIC_ID (10), GROUP_ID_NOT_FOUND, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, int64, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const OffsetFetch = api(
  "OffsetFetch",
  {
    groupId: string("0-7"),
    topics: structs(
      "0-7",
      { nullable: "2-7" },
      {
        name: string("0-7"),
        partitionIndexes: int32s("0-7"),
      },
    ),
    groups: structs("8+", {
      groupId: string("8+"),
      memberId: string("9+", { nullable: "9+", default: null, ignorable: true }),
      memberEpoch: int32("9+", { default: -1, ignorable: true }),
      topics: structs(
        "8+",
        { nullable: "8+" },
        {
          name: string("8-9", { ignorable: true }),
          topicId: uuid("10+", { ignorable: true }),
          partitionIndexes: int32s("8+"),
        },
      ),
    }),
    requireStable: bool("7+", { default: false }),
  },
  {
    throttleTimeMs: int32("3+", { ignorable: true }),
    topics: structs("0-7", {
      name: string("0-7"),
      partitions: structs("0-7", {
        partitionIndex: int32("0-7"),
        committedOffset: int64("0-7"),
        committedLeaderEpoch: int32("5-7", { default: -1, ignorable: true }),
        metadata: string("0-7", { nullable: "0-7" }),
        errorCode: int16("0-7"),
      }),
    }),
    errorCode: int16("2-7", { default: 0, ignorable: true }),
    groups: structs("8+", {
      groupId: string("8+"),
      topics: structs("8+", {
        name: string("8-9", { ignorable: true }),
        topicId: uuid("10+", { ignorable: true }),
        partitions: structs("8+", {
          partitionIndex: int32("8+"),
          committedOffset: int64("8+"),
          committedLeaderEpoch: int32("8+", { default: -1, ignorable: true }),
          metadata: string("8+", { nullable: "8+" }),
          errorCode: int16("8+"),
        }),
      }),
      errorCode: int16("8+", { default: 0 }),
    }),
  },
)

export type OffsetFetchRequest = Decoded<typeof OffsetFetch.request>
export type OffsetFetchResponse = Decoded<typeof OffsetFetch.response>
