/**
 * CreateAcls (key 30): adds access rules (KIP-140).
 *
 * v1 resource pattern types (KIP-290), the oldest since Kafka 4.0 · v2 flexible · v3 resource type USER (KIP-373).
 *
 * Errors: SECURITY_DISABLED (no authorizer), INVALID_REQUEST, NOT_CONTROLLER, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const CreateAcls = api(
  "CreateAcls",
  {
    creations: structs("0+", {
      resourceType: int8("0+"),
      resourceName: string("0+"),
      resourcePatternType: int8("1+", { default: 3 }),
      principal: string("0+"),
      host: string("0+"),
      operation: int8("0+"),
      permissionType: int8("0+"),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    results: structs("0+", {
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+" }),
    }),
  },
)

export type CreateAclsRequest = Decoded<typeof CreateAcls.request>
export type CreateAclsResponse = Decoded<typeof CreateAcls.response>
