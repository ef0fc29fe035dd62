/**
 * Control records at the two ends of a KRaft snapshot (KIP-630).
 */
import { int16, int64 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const SnapshotHeaderRecord = message("SnapshotHeaderRecord", "0", "0+", {
  version: int16("0+"),
  lastContainedLogTimestamp: int64("0+"),
})
export type SnapshotHeaderRecord = Decoded<typeof SnapshotHeaderRecord>

export const SnapshotFooterRecord = message("SnapshotFooterRecord", "0", "0+", {
  version: int16("0+"),
})
export type SnapshotFooterRecord = Decoded<typeof SnapshotFooterRecord>
