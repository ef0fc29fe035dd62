/**
 * ListConfigResources (key 74): names of the resources that have configs (KIP-714).
 *
 * v0 client metrics only · v1 chosen types, all when none is named (KIP-1142).
 *
 * Errors: UNSUPPORTED_VERSION, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int8, int8s, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ListConfigResources = api(
  "ListConfigResources",
  {
    resourceTypes: int8s("1+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    configResources: structs("0+", {
      resourceName: string("0+"),
      resourceType: int8("1+", { default: 16, ignorable: true }),
    }),
  },
)

export type ListConfigResourcesRequest = Decoded<typeof ListConfigResources.request>
export type ListConfigResourcesResponse = Decoded<typeof ListConfigResources.response>
