/**
 * JoinGroup (key 11): enters a classic group and waits for the rebalance; the leader's reply lists all members.
 *
 * v1 rebalanceTimeoutMs · v3 throttle time · v4 a first join without member id is sent back with one (KIP-394) ·
 * v5 static members (KIP-345) · v6 flexible · v7 protocolType in the reply (KIP-559) · v8 a reason (KIP-800) ·
 * v9 skipAssignment for a static leader that comes back (KIP-814).
 * `metadata` is opaque to the coordinator; for protocol type "consumer" it holds ConsumerProtocolSubscription.
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INCONSISTENT_GROUP_PROTOCOL,
 * UNKNOWN_MEMBER_ID, INVALID_GROUP_ID, INVALID_SESSION_TIMEOUT, REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED (4+),
 * FENCED_INSTANCE_ID (5+), GROUP_MAX_SIZE_REACHED, GROUP_AUTHORIZATION_FAILED.
 */
import { bool, bytes, int16, int32, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const JoinGroup = api(
  "JoinGroup",
  {
    groupId: string("0+"),
    sessionTimeoutMs: int32("0+"),
    rebalanceTimeoutMs: int32("1+", { default: -1, ignorable: true }),
    memberId: string("0+"),
    groupInstanceId: string("5+", { nullable: "5+", default: null }),
    protocolType: string("0+"),
    protocols: structs("0+", {
      name: string("0+"),
      metadata: bytes("0+"),
    }),
    reason: string("8+", { nullable: "8+", default: null, ignorable: true }),
  },
  {
    throttleTimeMs: int32("2+", { ignorable: true }),
    errorCode: int16("0+"),
    generationId: int32("0+", { default: -1 }),
    protocolType: string("7+", { nullable: "7+", default: null, ignorable: true }),
    protocolName: string("0+", { nullable: "7+" }),
    leader: string("0+"),
    skipAssignment: bool("9+", { default: false }),
    memberId: string("0+"),
    members: structs("0+", {
      memberId: string("0+"),
      groupInstanceId: string("5+", { nullable: "5+", default: null, ignorable: true }),
      metadata: bytes("0+"),
    }),
  },
)

export type JoinGroupRequest = Decoded<typeof JoinGroup.request>
export type JoinGroupResponse = Decoded<typeof JoinGroup.response>
