/**
 * AddOffsetsToTxn (key 25): adds a group's offsets partition to a transaction, before TxnOffsetCommit (KIP-98).
 *
 * v2 PRODUCER_FENCED (KIP-588) · v3 flexible · v4 TRANSACTION_ABORTABLE (KIP-890). Not used with transaction version 2.
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, CONCURRENT_TRANSACTIONS,
 * INVALID_PRODUCER_ID_MAPPING, INVALID_PRODUCER_EPOCH, PRODUCER_FENCED, INVALID_TXN_STATE, TRANSACTION_ABORTABLE,
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AddOffsetsToTxn = api(
  "AddOffsetsToTxn",
  {
    transactionalId: string("0+"),
    producerId: int64("0+"),
    producerEpoch: int16("0+"),
    groupId: string("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
  },
)

export type AddOffsetsToTxnRequest = Decoded<typeof AddOffsetsToTxn.request>
export type AddOffsetsToTxnResponse = Decoded<typeof AddOffsetsToTxn.response>
