/**
 * Metadata records that bracket changes which must take effect together (KIP-868).
 */
import { string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const BeginTransactionRecord = record(23, "BeginTransactionRecord", "0", "0+", {
  name: string("0+", { nullable: "0+", default: null, tag: 0 }),
})
export type BeginTransactionRecord = Decoded<typeof BeginTransactionRecord>

export const EndTransactionRecord = record(24, "EndTransactionRecord", "0", "0+", {})
export type EndTransactionRecord = Decoded<typeof EndTransactionRecord>

export const AbortTransactionRecord = record(25, "AbortTransactionRecord", "0", "0+", {
  reason: string("0+", { nullable: "0+", default: null, tag: 0 }),
})
export type AbortTransactionRecord = Decoded<typeof AbortTransactionRecord>
