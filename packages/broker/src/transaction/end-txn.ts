/**
 * EndTxn: decides a transaction. The answer leaves when the decision is committed; markers follow.
 *
 * Version 1 transactions (EndTxn v0-4) keep their epoch, so a repeated EndTxn looks like the first, and a delayed one can
 * hit the next transaction (row 43). Version 2 (v5+, KIP-890) raises the epoch with each: a request at the epoch before is a
 * repetition, one at the current epoch is new (rows 39, 40).
 *
 * Errors: INVALID_REQUEST, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED (2+; before, INVALID_PRODUCER_EPOCH),
 * CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE, COORDINATOR_LOAD_IN_PROGRESS while no producer id is at hand.
 */
import { ErrorCode } from "@millrace/protocol"
import type { EndTxnResponse } from "@millrace/protocol/messages/end-txn"
import { validateOwner } from "./add-partitions.ts"
import { type FencedFrom, fencedError } from "./fencing.ts"
import {
  type TransactionMetadata,
  isEpochExhausted,
  lastProducerEpoch,
  noProducerEpoch,
  noProducerId,
  prepared,
  preparedWithBump,
} from "./metadata.ts"
import type { EndRequest, TransactionOutcome } from "./requests.ts"
import type { TransactionShardState } from "./shard-state.ts"
import type { StoredState } from "./state.ts"

const fencedFrom: FencedFrom = 2
const epochBumpFrom = 5

type Result = "commit" | "abort"
type Action = "end" | ErrorCode

const { NONE, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE, PRODUCER_FENCED } = ErrorCode

/** Version 1, by the state the request finds. */
export const endInState: Record<StoredState, Record<Result, Action>> = {
  Empty: { commit: INVALID_TXN_STATE, abort: INVALID_TXN_STATE },
  Ongoing: { commit: "end", abort: "end" },
  PrepareCommit: { commit: CONCURRENT_TRANSACTIONS, abort: INVALID_TXN_STATE },
  PrepareAbort: { commit: INVALID_TXN_STATE, abort: CONCURRENT_TRANSACTIONS },
  CompleteCommit: { commit: NONE, abort: INVALID_TXN_STATE },
  CompleteAbort: { commit: INVALID_TXN_STATE, abort: NONE },
}

/** Version 2, at the current epoch: a new request. An abort outside a transaction only raises the epoch. */
export const endAtCurrentEpoch: Record<StoredState, Record<Result, Action>> = {
  Empty: { commit: INVALID_TXN_STATE, abort: "end" },
  Ongoing: { commit: "end", abort: "end" },
  PrepareCommit: { commit: PRODUCER_FENCED, abort: PRODUCER_FENCED },
  PrepareAbort: { commit: PRODUCER_FENCED, abort: PRODUCER_FENCED },
  CompleteCommit: { commit: INVALID_TXN_STATE, abort: "end" },
  CompleteAbort: { commit: INVALID_TXN_STATE, abort: "end" },
}

/** Version 2, at the epoch before: the client repeats itself. */
export const endAtLastEpoch: Record<StoredState, Record<Result, Action>> = {
  Empty: { commit: PRODUCER_FENCED, abort: PRODUCER_FENCED },
  Ongoing: { commit: PRODUCER_FENCED, abort: PRODUCER_FENCED },
  PrepareCommit: { commit: CONCURRENT_TRANSACTIONS, abort: INVALID_TXN_STATE },
  PrepareAbort: { commit: INVALID_TXN_STATE, abort: CONCURRENT_TRANSACTIONS },
  CompleteCommit: { commit: NONE, abort: INVALID_TXN_STATE },
  // It wanted to commit and was aborted, by its timeout or by someone new.
  CompleteAbort: { commit: PRODUCER_FENCED, abort: NONE },
}

export function endTxn(shard: TransactionShardState, end: EndRequest, now: number, out: TransactionOutcome): void {
  const { request, context, token } = end
  const metadata = shard.transactions.get(request.transactionalId)
  const bumps = context.apiVersion >= epochBumpFrom
  const action = bumps ? actionWithBump(metadata, request) : actionOf(metadata, request)
  const refuse = (error: ErrorCode) =>
    void out.reply(token, endAnswer(fencedError(error, context.apiVersion, fencedFrom)))
  if (metadata === undefined) return refuse(action === "end" ? ErrorCode.INVALID_PRODUCER_ID_MAPPING : action)
  if (action === NONE) {
    // A repetition of what is done: version 2 hears its new epoch again.
    out.reply(token, bumps ? endAnswer(NONE, metadata.producerId, metadata.producerEpoch) : endAnswer(NONE))
    return
  }
  if (action !== "end") return refuse(action)
  if (!bumps) {
    shard.end(prepared(metadata, request.committed, now), out)
    out.reply(token, endAnswer(NONE))
    return
  }
  const nextProducerId = shard.nextProducerId(metadata)
  if (nextProducerId === undefined) return refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
  const next = preparedWithBump(metadata, request.committed, nextProducerId, now)
  shard.end(next, out)
  const rotates = nextProducerId !== noProducerId
  out.reply(token, rotates ? endAnswer(NONE, nextProducerId, 0) : endAnswer(NONE, next.producerId, next.producerEpoch))
}

function actionOf(metadata: TransactionMetadata | undefined, request: EndRequest["request"]): Action {
  const error = validateOwner(metadata, request)
  if (error !== NONE || metadata === undefined) return error
  return endInState[metadata.state][request.committed ? "commit" : "abort"]
}

function actionWithBump(metadata: TransactionMetadata | undefined, request: EndRequest["request"]): Action {
  const result = request.committed ? "commit" : "abort"
  const error = validateOwner(metadata, request)
  if (metadata === undefined) return error
  if (error === NONE) return endAtCurrentEpoch[metadata.state][result]
  return repeats(metadata, request) ? endAtLastEpoch[metadata.state][result] : error
}

/** The request is at the epoch that the client had before the last end, perhaps under the producer id before. */
function repeats(metadata: TransactionMetadata, { producerId, producerEpoch }: EndRequest["request"]): boolean {
  const rotated = metadata.previousProducerId === producerId && isEpochExhausted(producerEpoch)
  if (rotated && producerEpoch === lastProducerEpoch(metadata)) return true
  return producerId === metadata.producerId && producerEpoch === metadata.producerEpoch - 1
}

export function endAnswer(
  errorCode: ErrorCode,
  producerId: number = noProducerId,
  producerEpoch: number = noProducerEpoch,
): EndTxnResponse {
  return { throttleTimeMs: 0, errorCode, producerId, producerEpoch }
}
