/**
 * Metadata record: drops the eligible leader replicas of one topic, or of all (KIP-966).
 */
import { string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const ClearElrRecord = record(28, "ClearElrRecord", "0", "0+", {
  topicName: string("0+"),
})
export type ClearElrRecord = Decoded<typeof ClearElrRecord>
