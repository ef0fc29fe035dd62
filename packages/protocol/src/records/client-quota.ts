/**
 * Metadata record: one quota of one entity, which may be a pair of user and client id (KIP-546).
 */
import { bool, float64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const ClientQuotaRecord = record(14, "ClientQuotaRecord", "0", "0+", {
  entity: structs("0+", {
    entityType: string("0+"),
    entityName: string("0+", { nullable: "0+" }),
  }),
  key: string("0+"),
  value: float64("0+"),
  remove: bool("0+"),
})
export type ClientQuotaRecord = Decoded<typeof ClientQuotaRecord>
