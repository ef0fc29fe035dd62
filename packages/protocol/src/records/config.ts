/**
 * Metadata record: one config of one resource (2 topic, 4 broker, 16 client metrics, 32 group). A null value removes it.
 */
import { int8, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const ConfigRecord = record(4, "ConfigRecord", "0", "0+", {
  resourceType: int8("0+"),
  resourceName: string("0+"),
  name: string("0+"),
  value: string("0+", { nullable: "0+" }),
})
export type ConfigRecord = Decoded<typeof ConfigRecord>
