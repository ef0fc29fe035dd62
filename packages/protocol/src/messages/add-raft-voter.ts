/**
 * AddRaftVoter (key 80): adds a controller to the voters of the KRaft quorum (KIP-853).
 *
 * v1 whether to answer only when the change is committed.
 *
 * Errors: DUPLICATE_VOTER, INVALID_REQUEST, INCONSISTENT_CLUSTER_ID, NOT_LEADER_OR_FOLLOWER, UNSUPPORTED_VERSION,
 * REQUEST_TIMED_OUT, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, string, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AddRaftVoter = api(
  "AddRaftVoter",
  {
    clusterId: string("0+", { nullable: "0+" }),
    timeoutMs: int32("0+"),
    voterId: int32("0+"),
    voterDirectoryId: uuid("0+"),
    listeners: structs("0+", {
      name: string("0+"),
      host: string("0+"),
      port: uint16("0+"),
    }),
    ackWhenCommitted: bool("1+", { default: true }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", ignorable: true }),
  },
)

export type AddRaftVoterRequest = Decoded<typeof AddRaftVoter.request>
export type AddRaftVoterResponse = Decoded<typeof AddRaftVoter.response>
