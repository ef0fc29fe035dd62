/**
 * DescribeQuorum (key 55): leader, voters and observers of the KRaft quorum and how far each has come (KIP-595).
 *
 * v1 times of the last fetch and of being caught up (KIP-836) · v2 messages, directory ids and node endpoints (KIP-853).
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, string, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

const replicaState = {
  replicaId: int32("0+"),
  replicaDirectoryId: uuid("2+"),
  logEndOffset: int64("0+"),
  lastFetchTimestamp: int64("1+", { default: -1, ignorable: true }),
  lastCaughtUpTimestamp: int64("1+", { default: -1, ignorable: true }),
}

export const DescribeQuorum = api(
  "DescribeQuorum",
  {
    topics: structs("0+", {
      topicName: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
      }),
    }),
  },
  {
    errorCode: int16("0+"),
    errorMessage: string("2+", { nullable: "2+", ignorable: true }),
    topics: structs("0+", {
      topicName: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        errorMessage: string("2+", { nullable: "2+", ignorable: true }),
        leaderId: int32("0+"),
        leaderEpoch: int32("0+"),
        highWatermark: int64("0+"),
        currentVoters: structs("0+", replicaState),
        observers: structs("0+", replicaState),
      }),
    }),
    nodes: structs("2+", {
      nodeId: int32("2+"),
      listeners: structs("2+", {
        name: string("2+"),
        host: string("2+"),
        port: uint16("2+"),
      }),
    }),
  },
)

export type DescribeQuorumRequest = Decoded<typeof DescribeQuorum.request>
export type DescribeQuorumResponse = Decoded<typeof DescribeQuorum.response>
