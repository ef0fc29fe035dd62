/**
 * AlterClientQuotas (key 49): sets or removes quotas of users, client ids and addresses (KIP-546).
 *
 * A null entity name stands for the default. v1 flexible.
 *
 * Errors: INVALID_REQUEST, INVALID_CONFIG, UNSUPPORTED_VERSION, NOT_CONTROLLER, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, float64, int16, int32, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AlterClientQuotas = api(
  "AlterClientQuotas",
  {
    entries: structs("0+", {
      entity: structs("0+", {
        entityType: string("0+"),
        entityName: string("0+", { nullable: "0+" }),
      }),
      ops: structs("0+", {
        key: string("0+"),
        value: float64("0+"),
        remove: bool("0+"),
      }),
    }),
    validateOnly: bool("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    entries: structs("0+", {
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+" }),
      entity: structs("0+", {
        entityType: string("0+"),
        entityName: string("0+", { nullable: "0+" }),
      }),
    }),
  },
)

export type AlterClientQuotasRequest = Decoded<typeof AlterClientQuotas.request>
export type AlterClientQuotasResponse = Decoded<typeof AlterClientQuotas.response>
