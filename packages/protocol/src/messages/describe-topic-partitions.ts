/**
 * DescribeTopicPartitions (key 75): partitions of topics page by page, with a cursor; eligible leader replicas (KIP-966).
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST, TOPIC_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, string, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeTopicPartitions = api(
  "DescribeTopicPartitions",
  {
    topics: structs("0+", {
      name: string("0+"),
    }),
    responsePartitionLimit: int32("0+", { default: 2000 }),
    cursor: struct(
      "0+",
      { nullable: "0+", default: null },
      {
        topicName: string("0+"),
        partitionIndex: int32("0+"),
      },
    ),
  },
  {
    throttleTimeMs: int32("0+", { ignorable: true }),
    topics: structs("0+", {
      errorCode: int16("0+"),
      name: string("0+", { nullable: "0+" }),
      topicId: uuid("0+", { ignorable: true }),
      isInternal: bool("0+", { default: false, ignorable: true }),
      partitions: structs("0+", {
        errorCode: int16("0+"),
        partitionIndex: int32("0+"),
        leaderId: int32("0+"),
        leaderEpoch: int32("0+", { default: -1, ignorable: true }),
        replicaNodes: int32s("0+"),
        isrNodes: int32s("0+"),
        eligibleLeaderReplicas: int32s("0+", { nullable: "0+", default: null }),
        lastKnownElr: int32s("0+", { nullable: "0+", default: null }),
        offlineReplicas: int32s("0+", { ignorable: true }),
      }),
      topicAuthorizedOperations: int32("0+", { default: -2147483648 }),
    }),
    nextCursor: struct(
      "0+",
      { nullable: "0+", default: null },
      {
        topicName: string("0+"),
        partitionIndex: int32("0+"),
      },
    ),
  },
)

export type DescribeTopicPartitionsRequest = Decoded<typeof DescribeTopicPartitions.request>
export type DescribeTopicPartitionsResponse = Decoded<typeof DescribeTopicPartitions.response>
