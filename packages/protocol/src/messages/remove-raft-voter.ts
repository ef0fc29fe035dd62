/**
 * RemoveRaftVoter (key 81): removes a controller from the voters of the KRaft quorum (KIP-853).
 *
 * Errors: VOTER_NOT_FOUND, INVALID_REQUEST, INCONSISTENT_CLUSTER_ID, NOT_LEADER_OR_FOLLOWER, UNSUPPORTED_VERSION,
 * REQUEST_TIMED_OUT, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, string, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const RemoveRaftVoter = api(
  "RemoveRaftVoter",
  {
    clusterId: string("0+", { nullable: "0+" }),
    voterId: int32("0+"),
    voterDirectoryId: uuid("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", ignorable: true }),
  },
)

export type RemoveRaftVoterRequest = Decoded<typeof RemoveRaftVoter.request>
export type RemoveRaftVoterResponse = Decoded<typeof RemoveRaftVoter.response>
