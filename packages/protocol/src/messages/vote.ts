/**
 * Vote (key 52): a candidate of a KRaft quorum asks for votes (KIP-595).
 *
 * v1 voter keys and directory ids (KIP-853) · v2 a vote before the vote, which disturbs nobody (KIP-996).
 *
 * Errors: INCONSISTENT_CLUSTER_ID, INCONSISTENT_VOTER_SET, FENCED_LEADER_EPOCH, INVALID_VOTER_KEY, INVALID_REQUEST,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int64, string, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const Vote = api(
  "Vote",
  {
    clusterId: string("0+", { nullable: "0+", default: null }),
    voterId: int32("1+", { default: -1, ignorable: true }),
    topics: structs("0+", {
      topicName: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        replicaEpoch: int32("0+"),
        replicaId: int32("0+"),
        replicaDirectoryId: uuid("1+", { ignorable: true }),
        voterDirectoryId: uuid("1+", { ignorable: true }),
        lastOffsetEpoch: int32("0+"),
        lastOffset: int64("0+"),
        preVote: bool("2+"),
      }),
    }),
  },
  {
    errorCode: int16("0+"),
    topics: structs("0+", {
      topicName: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        leaderId: int32("0+"),
        leaderEpoch: int32("0+"),
        voteGranted: bool("0+"),
      }),
    }),
    nodeEndpoints: structs(
      "1+",
      { tag: 0 },
      {
        nodeId: int32("1+"),
        host: string("1+"),
        port: uint16("1+"),
      },
    ),
  },
)

export type VoteRequest = Decoded<typeof Vote.request>
export type VoteResponse = Decoded<typeof Vote.response>
