/**
 * EndQuorumEpoch (key 54): a resigning KRaft leader tells the voters, best successor first (KIP-595).
 *
 * v1 flexible, candidates with directory ids and the leader's endpoints (KIP-853).
 *
 * Errors: INCONSISTENT_CLUSTER_ID, INCONSISTENT_VOTER_SET, FENCED_LEADER_EPOCH, INVALID_REQUEST,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, string, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const EndQuorumEpoch = api(
  "EndQuorumEpoch",
  {
    clusterId: string("0+", { nullable: "0+", default: null }),
    topics: structs("0+", {
      topicName: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        leaderId: int32("0+"),
        leaderEpoch: int32("0+"),
        preferredSuccessors: int32s("0", { ignorable: true }),
        preferredCandidates: structs(
          "1+",
          { ignorable: true },
          {
            candidateId: int32("1+"),
            candidateDirectoryId: uuid("1+"),
          },
        ),
      }),
    }),
    leaderEndpoints: structs(
      "1+",
      { ignorable: true },
      {
        name: string("1+"),
        host: string("1+"),
        port: uint16("1+"),
      },
    ),
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

export type EndQuorumEpochRequest = Decoded<typeof EndQuorumEpoch.request>
export type EndQuorumEpochResponse = Decoded<typeof EndQuorumEpoch.response>
