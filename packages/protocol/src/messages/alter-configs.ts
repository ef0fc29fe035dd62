/**
 * AlterConfigs (key 33): replaces all configs of a resource. Deprecated for IncrementalAlterConfigs, which cannot lose a
 * config that someone else set meanwhile (KIP-133, KIP-339).
 *
 * v1 as v0 · v2 flexible.
 *
 * Errors: INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, POLICY_VIOLATION, NOT_CONTROLLER,
 * TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AlterConfigs = api(
  "AlterConfigs",
  {
    resources: structs("0+", {
      resourceType: int8("0+"),
      resourceName: string("0+"),
      configs: structs("0+", {
        name: string("0+"),
        value: string("0+", { nullable: "0+" }),
      }),
    }),
    validateOnly: bool("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    responses: structs("0+", {
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+" }),
      resourceType: int8("0+"),
      resourceName: string("0+"),
    }),
  },
)

export type AlterConfigsRequest = Decoded<typeof AlterConfigs.request>
export type AlterConfigsResponse = Decoded<typeof AlterConfigs.response>
