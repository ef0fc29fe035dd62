/**
 * SyncGroup (key 14): second half of a classic rebalance: the leader hands in the assignments, each member gets its own.
 *
 * v1 throttle time · v3 static members (KIP-345) · v4 flexible · v5 protocol type and name (KIP-559).
 * `assignment` is opaque; for protocol type "consumer" it holds ConsumerProtocolAssignment.
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID,
 * REBALANCE_IN_PROGRESS, INCONSISTENT_GROUP_PROTOCOL (5), FENCED_INSTANCE_ID (3+), GROUP_AUTHORIZATION_FAILED.
 */
import { bytes, int16, int32, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const SyncGroup = api(
  "SyncGroup",
  {
    groupId: string("0+"),
    generationId: int32("0+"),
    memberId: string("0+"),
    groupInstanceId: string("3+", { nullable: "3+", default: null }),
    protocolType: string("5+", { nullable: "5+", default: null, ignorable: true }),
    protocolName: string("5+", { nullable: "5+", default: null, ignorable: true }),
    assignments: structs("0+", {
      memberId: string("0+"),
      assignment: bytes("0+"),
    }),
  },
  {
    throttleTimeMs: int32("1+", { ignorable: true }),
    errorCode: int16("0+"),
    protocolType: string("5+", { nullable: "5+", default: null, ignorable: true }),
    protocolName: string("5+", { nullable: "5+", default: null, ignorable: true }),
    assignment: bytes("0+"),
  },
)

export type SyncGroupRequest = Decoded<typeof SyncGroup.request>
export type SyncGroupResponse = Decoded<typeof SyncGroup.response>
