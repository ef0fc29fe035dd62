/**
 * FindCoordinator (key 10): which broker coordinates a group (type 0), a transactional id (1) or a share partition (2).
 *
 * v1 keyType and an error message · v3 flexible · v4 many keys in one request (KIP-699) ·
 * v5 TRANSACTION_ABORTABLE may come back (KIP-890) · v6 share coordinator (KIP-932).
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, INVALID_GROUP_ID, INVALID_REQUEST,
 * GROUP_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, TRANSACTION_ABORTABLE.
 */
import { int16, int32, int8, string, strings, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const FindCoordinator = api(
  "FindCoordinator",
  {
    key: string("0-3"),
    keyType: int8("1+", { default: 0 }),
    coordinatorKeys: strings("4+"),
  },
  {
    throttleTimeMs: int32("1+", { ignorable: true }),
    errorCode: int16("0-3"),
    errorMessage: string("1-3", { nullable: "1-3", ignorable: true }),
    nodeId: int32("0-3"),
    host: string("0-3"),
    port: int32("0-3"),
    coordinators: structs("4+", {
      key: string("4+"),
      nodeId: int32("4+"),
      host: string("4+"),
      port: int32("4+"),
      errorCode: int16("4+"),
      errorMessage: string("4+", { nullable: "4+", ignorable: true }),
    }),
  },
)

export type FindCoordinatorRequest = Decoded<typeof FindCoordinator.request>
export type FindCoordinatorResponse = Decoded<typeof FindCoordinator.response>
