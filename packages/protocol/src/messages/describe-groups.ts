/**
 * DescribeGroups (key 15): state, protocol and members of classic groups.
 *
 * v1 throttle time · v3 authorized operations (KIP-430) · v4 static members (KIP-345) · v5 flexible ·
 * v6 an error message, and GROUP_ID_NOT_FOUND where older versions show a dead group (KIP-1043).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_GROUP_ID,
 * GROUP_ID_NOT_FOUND (6), GROUP_AUTHORIZATION_FAILED.
 */
import { bool, bytes, int16, int32, string, strings, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeGroups = api(
  "DescribeGroups",
  {
    groups: strings("0+"),
    includeAuthorizedOperations: bool("3+"),
  },
  {
    throttleTimeMs: int32("1+", { ignorable: true }),
    groups: structs("0+", {
      errorCode: int16("0+"),
      errorMessage: string("6+", { nullable: "6+", default: null }),
      groupId: string("0+"),
      groupState: string("0+"),
      protocolType: string("0+"),
      protocolData: string("0+"),
      members: structs("0+", {
        memberId: string("0+"),
        groupInstanceId: string("4+", { nullable: "4+", default: null, ignorable: true }),
        clientId: string("0+"),
        clientHost: string("0+"),
        memberMetadata: bytes("0+"),
        memberAssignment: bytes("0+"),
      }),
      authorizedOperations: int32("3+", { default: -2147483648 }),
    }),
  },
)

export type DescribeGroupsRequest = Decoded<typeof DescribeGroups.request>
export type DescribeGroupsResponse = Decoded<typeof DescribeGroups.response>
