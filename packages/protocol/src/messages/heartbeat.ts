/**
 * Heartbeat (key 12): keeps a member of a classic group alive; the error code brings the call to rejoin.
 *
 * v1 throttle time · v3 static members (KIP-345) · v4 flexible.
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID,
 * REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID (3+), GROUP_AUTHORIZATION_FAILED.
 */
import { int16, int32, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const Heartbeat = api(
  "Heartbeat",
  {
    groupId: string("0+"),
    generationId: int32("0+"),
    memberId: string("0+"),
    groupInstanceId: string("3+", { nullable: "3+", default: null }),
  },
  {
    throttleTimeMs: int32("1+", { ignorable: true }),
    errorCode: int16("0+"),
  },
)

export type HeartbeatRequest = Decoded<typeof Heartbeat.request>
export type HeartbeatResponse = Decoded<typeof Heartbeat.response>
