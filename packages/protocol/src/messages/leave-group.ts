/**
 * LeaveGroup (key 13): members leave a group at once, without waiting for their session to end.
 *
 * v1 throttle time · v3 several members, static ones by instance id (KIP-345) · v4 flexible · v5 a reason (KIP-800).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID,
 * GROUP_ID_NOT_FOUND, GROUP_AUTHORIZATION_FAILED; for one member from v3 on in its own field.
 */
import { int16, int32, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const LeaveGroup = api(
  "LeaveGroup",
  {
    groupId: string("0+"),
    memberId: string("0-2"),
    members: structs("3+", {
      memberId: string("3+"),
      groupInstanceId: string("3+", { nullable: "3+", default: null }),
      reason: string("5+", { nullable: "5+", default: null, ignorable: true }),
    }),
  },
  {
    throttleTimeMs: int32("1+", { ignorable: true }),
    errorCode: int16("0+"),
    members: structs("3+", {
      memberId: string("3+"),
      groupInstanceId: string("3+", { nullable: "3+" }),
      errorCode: int16("3+"),
    }),
  },
)

export type LeaveGroupRequest = Decoded<typeof LeaveGroup.request>
export type LeaveGroupResponse = Decoded<typeof LeaveGroup.response>
