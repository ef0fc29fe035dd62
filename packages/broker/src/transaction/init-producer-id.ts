/**
 * InitProducerId with a transactional id: makes the caller its owner (rows 35-37).
 *
 * Whoever comes with nothing but the id fences whoever had it. Whoever comes with its producer id and epoch (v3+, KIP-360)
 * goes on after an error, unless someone else took over in between. An open transaction is aborted first and the caller
 * told to come back.
 *
 * Errors: INVALID_REQUEST, INVALID_TRANSACTION_TIMEOUT, CONCURRENT_TRANSACTIONS, PRODUCER_FENCED (4+; before,
 * INVALID_PRODUCER_EPOCH), COORDINATOR_LOAD_IN_PROGRESS while no producer id is at hand,
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED and UNSUPPORTED_VERSION for two-phase commit (v6), which is not served.
 */
import { ErrorCode } from "@millrace/protocol"
import type { InitProducerIdResponse } from "@millrace/protocol/messages/init-producer-id"
import { type FencedFrom, fencedError } from "./fencing.ts"
import {
  type TransactionMetadata,
  initialised,
  isEpochExhausted,
  lastProducerEpoch,
  newTransactionalId,
  noProducerId,
} from "./metadata.ts"
import type { InitRequest, TransactionOutcome } from "./requests.ts"
import type { TransactionShardState } from "./shard-state.ts"
import { isPrepared } from "./state.ts"

const fencedFrom: FencedFrom = 4

export function initProducerId(
  shard: TransactionShardState,
  { request, context, token }: InitRequest,
  now: number,
  out: TransactionOutcome,
): void {
  const { transactionalId, transactionTimeoutMs: timeoutMs } = request
  const existing = shard.transactions.get(transactionalId)
  const error = validate(shard, request, existing)
  const outcome =
    error !== ErrorCode.NONE
      ? error
      : existing === undefined
        ? createId(shard, transactionalId, timeoutMs, now)
        : takeOver(shard, existing, request, now, out)
  if (typeof outcome === "number") {
    out.reply(token, initRefusal(fencedError(outcome, context.apiVersion, fencedFrom)))
    return
  }
  shard.write(outcome, out)
  out.reply(token, initAnswer(outcome.producerId, outcome.producerEpoch))
}

function validate(
  shard: TransactionShardState,
  request: InitRequest["request"],
  existing: TransactionMetadata | undefined,
): ErrorCode {
  const { transactionTimeoutMs, producerId, producerEpoch } = request
  if (request.transactionalId === "") return ErrorCode.INVALID_REQUEST
  if (request.enable2Pc) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  if (request.keepPreparedTxn) return ErrorCode.UNSUPPORTED_VERSION
  if (transactionTimeoutMs <= 0 || transactionTimeoutMs > shard.config["transaction.max.timeout.ms"]) {
    return ErrorCode.INVALID_TRANSACTION_TIMEOUT
  }
  if (existing === undefined || producerId === noProducerId) return ErrorCode.NONE
  const owns = producerId === existing.producerId
  const ownedBefore = producerId === existing.previousProducerId && isEpochExhausted(producerEpoch)
  return owns || ownedBefore ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED
}

function createId(
  shard: TransactionShardState,
  transactionalId: string,
  timeoutMs: number,
  now: number,
): TransactionMetadata | ErrorCode {
  const producerId = shard.producerIds.take()
  if (producerId === undefined) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  return newTransactionalId(transactionalId, producerId, timeoutMs, now)
}

function takeOver(
  shard: TransactionShardState,
  existing: TransactionMetadata,
  { producerId, producerEpoch, transactionTimeoutMs: timeoutMs }: InitRequest["request"],
  now: number,
  out: TransactionOutcome,
): TransactionMetadata | ErrorCode {
  if (isPrepared(existing.state)) return ErrorCode.CONCURRENT_TRANSACTIONS
  if (existing.state === "Ongoing") {
    // The raised epoch of the abort is given to nobody: the caller's retry raises it once more.
    return shard.fence(existing, now, out) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  }
  const goesOn = producerId !== noProducerId
  const current = producerId === existing.producerId && producerEpoch === existing.producerEpoch
  if (goesOn && !current) {
    // It repeats a request whose answer it missed: the epoch that it got then still stands.
    const repeats = producerId === existing.previousProducerId && producerEpoch === lastProducerEpoch(existing)
    return repeats ? initialised(existing, existing, timeoutMs, now) : ErrorCode.PRODUCER_FENCED
  }
  const previousProducerId = goesOn ? existing.producerId : noProducerId
  if (!isEpochExhausted(existing.producerEpoch)) {
    const owner = { ...existing, producerEpoch: existing.producerEpoch + 1, previousProducerId }
    return initialised(existing, owner, timeoutMs, now)
  }
  const freshProducerId = shard.producerIds.take()
  if (freshProducerId === undefined) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  return initialised(existing, { producerId: freshProducerId, producerEpoch: 0, previousProducerId }, timeoutMs, now)
}

export function initAnswer(producerId: number, producerEpoch: number): InitProducerIdResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    producerId,
    producerEpoch,
    ongoingTxnProducerId: -1,
    ongoingTxnProducerEpoch: -1,
  }
}

export function initRefusal(errorCode: ErrorCode): InitProducerIdResponse {
  return { ...initAnswer(-1, -1), errorCode }
}
