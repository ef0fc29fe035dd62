/**
 * ListGroups (key 16): the groups that this broker coordinates.
 *
 * v1 throttle time · v3 flexible · v4 filter by state (KIP-518) · v5 filter by group type and the type in the reply
 * (KIP-848).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE. Groups without DESCRIBE permission are left out.
 */
import { int16, int32, string, strings, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ListGroups = api(
  "ListGroups",
  {
    statesFilter: strings("4+"),
    typesFilter: strings("5+"),
  },
  {
    throttleTimeMs: int32("1+", { ignorable: true }),
    errorCode: int16("0+"),
    groups: structs("0+", {
      groupId: string("0+"),
      protocolType: string("0+"),
      groupState: string("4+", { ignorable: true }),
      groupType: string("5+", { ignorable: true }),
    }),
  },
)

export type ListGroupsRequest = Decoded<typeof ListGroups.request>
export type ListGroupsResponse = Decoded<typeof ListGroups.response>
