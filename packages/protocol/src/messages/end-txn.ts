/**
 * EndTxn (key 26): commits or aborts the transaction; markers follow in the background (KIP-98).
 *
 * v2 PRODUCER_FENCED (KIP-588) · v3 flexible · v4 TRANSACTION_ABORTABLE · v5 each transaction ends with a new epoch, which
 * the reply carries (KIP-890 part 2).
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, CONCURRENT_TRANSACTIONS,
 * INVALID_PRODUCER_ID_MAPPING, INVALID_PRODUCER_EPOCH, PRODUCER_FENCED, INVALID_TXN_STATE, TRANSACTION_ABORTABLE,
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int64, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const EndTxn = api(
  "EndTxn",
  {
    transactionalId: string("0+"),
    producerId: int64("0+"),
    producerEpoch: int16("0+"),
    committed: bool("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    producerId: int64("5+", { default: -1, ignorable: true }),
    producerEpoch: int16("5+", { default: -1, ignorable: true }),
  },
)

export type EndTxnRequest = Decoded<typeof EndTxn.request>
export type EndTxnResponse = Decoded<typeof EndTxn.response>
