/**
 * DescribeShareGroupOffsets (key 90): start offsets of a share group's partitions (KIP-932).
 *
 * v1 the lag (KIP-1226).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, GROUP_ID_NOT_FOUND,
 * INVALID_REQUEST, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, int64, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeShareGroupOffsets = api(
  "DescribeShareGroupOffsets",
  {
    groups: structs("0+", {
      groupId: string("0+"),
      topics: structs(
        "0+",
        { nullable: "0+" },
        {
          topicName: string("0+"),
          partitions: int32s("0+"),
        },
      ),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    groups: structs("0+", {
      groupId: string("0+"),
      topics: structs("0+", {
        topicName: string("0+"),
        topicId: uuid("0+"),
        partitions: structs("0+", {
          partitionIndex: int32("0+"),
          startOffset: int64("0+"),
          leaderEpoch: int32("0+"),
          lag: int64("1+", { default: -1, ignorable: true }),
          errorCode: int16("0+"),
          errorMessage: string("0+", { nullable: "0+", default: null }),
        }),
      }),
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+", default: null }),
    }),
  },
)

export type DescribeShareGroupOffsetsRequest = Decoded<typeof DescribeShareGroupOffsets.request>
export type DescribeShareGroupOffsetsResponse = Decoded<typeof DescribeShareGroupOffsets.response>
