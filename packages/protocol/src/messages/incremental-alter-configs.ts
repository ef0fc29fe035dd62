/**
 * IncrementalAlterConfigs (key 44): sets, deletes, appends to or subtracts from single configs (KIP-339).
 *
 * Operations: 0 set, 1 delete, 2 append, 3 subtract. v1 flexible.
 *
 * Errors: INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, POLICY_VIOLATION, NOT_CONTROLLER,
 * TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const IncrementalAlterConfigs = api(
  "IncrementalAlterConfigs",
  {
    resources: structs("0+", {
      resourceType: int8("0+"),
      resourceName: string("0+"),
      configs: structs("0+", {
        name: string("0+"),
        configOperation: int8("0+"),
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

export type IncrementalAlterConfigsRequest = Decoded<typeof IncrementalAlterConfigs.request>
export type IncrementalAlterConfigsResponse = Decoded<typeof IncrementalAlterConfigs.response>
