/**
 * UpdateRaftVoter (key 82): a voter of the KRaft quorum changes its endpoints or supported protocol level (KIP-853).
 *
 * Errors: VOTER_NOT_FOUND, INVALID_REQUEST, INCONSISTENT_CLUSTER_ID, FENCED_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER,
 * UNSUPPORTED_VERSION, REQUEST_TIMED_OUT, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, string, struct, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const UpdateRaftVoter = api(
  "UpdateRaftVoter",
  {
    clusterId: string("0+", { nullable: "0+" }),
    currentLeaderEpoch: int32("0+"),
    voterId: int32("0+"),
    voterDirectoryId: uuid("0+"),
    listeners: structs("0+", {
      name: string("0+"),
      host: string("0+"),
      port: uint16("0+"),
    }),
    kRaftVersionFeature: struct("0+", {
      minSupportedVersion: int16("0+"),
      maxSupportedVersion: int16("0+"),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    currentLeader: struct(
      "0+",
      { tag: 0 },
      {
        leaderId: int32("0+", { default: -1 }),
        leaderEpoch: int32("0+", { default: -1 }),
        host: string("0+"),
        port: int32("0+"),
      },
    ),
  },
)

export type UpdateRaftVoterRequest = Decoded<typeof UpdateRaftVoter.request>
export type UpdateRaftVoterResponse = Decoded<typeof UpdateRaftVoter.response>
