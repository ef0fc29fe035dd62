/**
 * DescribeAcls (key 29): the access rules that match a filter (KIP-140).
 *
 * v1 resource pattern types (KIP-290), the oldest since Kafka 4.0 · v2 flexible · v3 resource type USER (KIP-373).
 *
 * Errors: SECURITY_DISABLED (no authorizer), INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeAcls = api(
  "DescribeAcls",
  {
    resourceTypeFilter: int8("0+"),
    resourceNameFilter: string("0+", { nullable: "0+" }),
    patternTypeFilter: int8("1+", { default: 3 }),
    principalFilter: string("0+", { nullable: "0+" }),
    hostFilter: string("0+", { nullable: "0+" }),
    operation: int8("0+"),
    permissionType: int8("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    resources: structs("0+", {
      resourceType: int8("0+"),
      resourceName: string("0+"),
      patternType: int8("1+", { default: 3 }),
      acls: structs("0+", {
        principal: string("0+"),
        host: string("0+"),
        operation: int8("0+"),
        permissionType: int8("0+"),
      }),
    }),
  },
)

export type DescribeAclsRequest = Decoded<typeof DescribeAcls.request>
export type DescribeAclsResponse = Decoded<typeof DescribeAcls.response>
