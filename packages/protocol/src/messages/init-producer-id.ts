/**
 * InitProducerId (key 22): a producer id and epoch; with a transactional id it also fences older producers and ends what
 * they left open (KIP-98).
 *
 * v2 flexible · v3 the current id and epoch, to bump the epoch in place (KIP-360) · v4 PRODUCER_FENCED (KIP-588) ·
 * v5 TRANSACTION_ABORTABLE (KIP-890) · v6 two-phase commit (KIP-939), not advertised yet.
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, CONCURRENT_TRANSACTIONS,
 * INVALID_TRANSACTION_TIMEOUT, INVALID_PRODUCER_EPOCH, PRODUCER_FENCED (4+), INVALID_REQUEST, TRANSACTION_ABORTABLE,
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int64, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const InitProducerId = api(
  "InitProducerId",
  {
    transactionalId: string("0+", { nullable: "0+" }),
    transactionTimeoutMs: int32("0+"),
    producerId: int64("3+", { default: -1 }),
    producerEpoch: int16("3+", { default: -1 }),
    enable2Pc: bool("6+", { default: false }),
    keepPreparedTxn: bool("6+", { default: false }),
  },
  {
    throttleTimeMs: int32("0+", { ignorable: true }),
    errorCode: int16("0+"),
    producerId: int64("0+", { default: -1 }),
    producerEpoch: int16("0+"),
    ongoingTxnProducerId: int64("6+", { default: -1 }),
    ongoingTxnProducerEpoch: int16("6+", { default: -1 }),
  },
)

export type InitProducerIdRequest = Decoded<typeof InitProducerId.request>
export type InitProducerIdResponse = Decoded<typeof InitProducerId.response>
