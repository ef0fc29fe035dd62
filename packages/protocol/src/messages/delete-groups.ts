/**
 * DeleteGroups (key 42): deletes groups that have no members, with their offsets (KIP-229).
 *
 * v1 as v0 · v2 flexible · v3 an error message for each group.
 *
 * Errors: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, INVALID_GROUP_ID, GROUP_DELETION_FAILED (3), COORDINATOR_LOAD_IN_PROGRESS,
 * COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, GROUP_AUTHORIZATION_FAILED.
 */
import { int16, int32, string, strings, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DeleteGroups = api(
  "DeleteGroups",
  {
    groupsNames: strings("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    results: structs("0+", {
      groupId: string("0+"),
      errorCode: int16("0+"),
      errorMessage: string("3+", { nullable: "3+", default: null, ignorable: true }),
    }),
  },
)

export type DeleteGroupsRequest = Decoded<typeof DeleteGroups.request>
export type DeleteGroupsResponse = Decoded<typeof DeleteGroups.response>
