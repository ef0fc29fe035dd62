/**
 * BeginQuorumEpoch (key 53): a new KRaft leader tells the voters of its epoch (KIP-595).
 *
 * v1 flexible, voter keys and the leader's endpoints (KIP-853).
 *
 * Errors: INCONSISTENT_CLUSTER_ID, INCONSISTENT_VOTER_SET, FENCED_LEADER_EPOCH, INVALID_VOTER_KEY, INVALID_REQUEST,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, string, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const BeginQuorumEpoch = api(
  "BeginQuorumEpoch",
  {
    clusterId: string("0+", { nullable: "0+", default: null }),
    voterId: int32("1+", { default: -1, ignorable: true }),
    topics: structs("0+", {
      topicName: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        voterDirectoryId: uuid("1+", { ignorable: true }),
        leaderId: int32("0+"),
        leaderEpoch: int32("0+"),
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

export type BeginQuorumEpochRequest = Decoded<typeof BeginQuorumEpoch.request>
export type BeginQuorumEpochResponse = Decoded<typeof BeginQuorumEpoch.response>
