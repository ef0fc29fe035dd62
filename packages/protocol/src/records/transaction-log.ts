/**
 * Records of `__transaction_state`: one transactional id and its state (KIP-98). Key type 0.
 *
 * Status: 0 Empty, 1 Ongoing, 2 PrepareCommit, 3 PrepareAbort, 4 CompleteCommit, 5 CompleteAbort, 6 Dead,
 * 7 PrepareEpochFence. Value v1 is flexible and holds the previous and next producer id and the client's transaction
 * version (KIP-890).
 */
import { int16, int32, int32s, int64, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const TransactionLogKey = record(0, "TransactionLogKey", "0", "none", {
  transactionalId: string("0+"),
})
export type TransactionLogKey = Decoded<typeof TransactionLogKey>

export const TransactionLogValue = record(0, "TransactionLogValue", "0-1", "1+", {
  producerId: int64("0+"),
  previousProducerId: int64("1+", { default: -1, tag: 0 }),
  nextProducerId: int64("1+", { default: -1, tag: 1 }),
  producerEpoch: int16("0+"),
  nextProducerEpoch: int16("1+", { default: -1, tag: 3 }),
  transactionTimeoutMs: int32("0+"),
  transactionStatus: int8("0+"),
  transactionPartitions: structs(
    "0+",
    { nullable: "0+" },
    {
      topic: string("0+"),
      partitionIds: int32s("0+"),
    },
  ),
  transactionLastUpdateTimestampMs: int64("0+"),
  transactionStartTimestampMs: int64("0+"),
  clientTransactionVersion: int16("1+", { default: 0, tag: 2 }),
})
export type TransactionLogValue = Decoded<typeof TransactionLogValue>
