/**
 * Transaction markers as they stand in a partition's log, and an entry of the transaction index.
 *
 * A control record's key is version:2 type:2 (0 abort, 1 commit, 2 leader change, 3 snapshot header, 4 snapshot footer,
 * 5 KRaft version, 6 voters); its value is version:2 and the message. AbortedTxn is one entry of a `.txnindex` file.
 */
import { int16, int32, int64 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const EndTxnMarker = message("EndTxnMarker", "0", "none", {
  coordinatorEpoch: int32("0+"),
})
export type EndTxnMarker = Decoded<typeof EndTxnMarker>

export const ControlRecordTypeSchema = message("ControlRecordTypeSchema", "0", "none", {
  type: int16("0+"),
})
export type ControlRecordTypeSchema = Decoded<typeof ControlRecordTypeSchema>

export const AbortedTxn = message("AbortedTxn", "0", "none", {
  producerId: int64("0+"),
  firstOffset: int64("0+"),
  lastOffset: int64("0+"),
  lastStableOffset: int64("0+"),
})
export type AbortedTxn = Decoded<typeof AbortedTxn>
