/**
 * DescribeClientQuotas (key 48): quotas of users, client ids and addresses that match a filter (KIP-546).
 *
 * Match types: 0 exact name, 1 default, 2 any name. v1 flexible.
 *
 * Errors: INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, float64, int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeClientQuotas = api(
  "DescribeClientQuotas",
  {
    components: structs("0+", {
      entityType: string("0+"),
      matchType: int8("0+"),
      match: string("0+", { nullable: "0+" }),
    }),
    strict: bool("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    entries: structs(
      "0+",
      { nullable: "0+" },
      {
        entity: structs("0+", {
          entityType: string("0+"),
          entityName: string("0+", { nullable: "0+" }),
        }),
        values: structs("0+", {
          key: string("0+"),
          value: float64("0+"),
        }),
      },
    ),
  },
)

export type DescribeClientQuotasRequest = Decoded<typeof DescribeClientQuotas.request>
export type DescribeClientQuotasResponse = Decoded<typeof DescribeClientQuotas.response>
