/**
 * Metadata record: the finalized level of a feature, as metadata.version or transaction.version (KIP-584, KIP-778).
 */
import { int16, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const FeatureLevelRecord = record(12, "FeatureLevelRecord", "0", "0+", {
  name: string("0+"),
  featureLevel: int16("0+"),
})
export type FeatureLevelRecord = Decoded<typeof FeatureLevelRecord>
