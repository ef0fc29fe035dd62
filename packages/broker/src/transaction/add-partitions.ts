/**
 * AddPartitionsToTxn and AddOffsetsToTxn: the coordinator must know every partition of a transaction before anything is
 * written there, or a crash would leave it open for ever (rows 38, 42, 49).
 *
 * Verifying asks only whether partitions are in (KIP-890): a broker does so before it appends a transaction's first batch.
 *
 * Errors: INVALID_REQUEST, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS; for a partition that
 * is not in, TRANSACTION_ABORTABLE.
 */
import { ErrorCode } from "@millrace/protocol"
import { type TransactionMetadata, containsAll, withPartitions } from "./metadata.ts"
import type { AddRequest, PartitionResults, TransactionOutcome } from "./requests.ts"
import { type TransactionShardState, armTimeout } from "./shard-state.ts"
import { type StoredState, isPrepared } from "./state.ts"

/** What adding does in each state. */
export const addInState: Record<StoredState, "add" | ErrorCode> = {
  Empty: "add",
  Ongoing: "add",
  // Not the client's fault: the previous transaction's markers are still on their way.
  PrepareCommit: ErrorCode.CONCURRENT_TRANSACTIONS,
  PrepareAbort: ErrorCode.CONCURRENT_TRANSACTIONS,
  CompleteCommit: "add",
  CompleteAbort: "add",
}

export function addPartitions(
  shard: TransactionShardState,
  add: AddRequest,
  now: number,
  out: TransactionOutcome,
): void {
  const metadata = shard.transactions.get(add.transactionalId)
  const error = validateOwner(metadata, add)
  const action = error === ErrorCode.NONE && metadata !== undefined ? addInState[metadata.state] : error
  if (typeof action === "number" || metadata === undefined) {
    out.reply(add.token, sameForAll(action === "add" ? ErrorCode.INVALID_PRODUCER_ID_MAPPING : action))
    return
  }
  out.reply(add.token, sameForAll(ErrorCode.NONE))
  if (metadata.state === "Ongoing" && containsAll(metadata, add.partitions)) return
  const next = withPartitions(metadata, add.partitions, add.clientTransactionVersion, now)
  shard.write(next, out)
  if (metadata.state !== "Ongoing") armTimeout(next, now, out)
}

export function verifyPartitions(shard: TransactionShardState, verify: AddRequest, out: TransactionOutcome): void {
  const metadata = shard.transactions.get(verify.transactionalId)
  const error = validateOwner(metadata, verify)
  if (error !== ErrorCode.NONE || metadata === undefined) {
    out.reply(verify.token, sameForAll(error))
  } else if (isPrepared(metadata.state)) {
    out.reply(verify.token, sameForAll(ErrorCode.CONCURRENT_TRANSACTIONS))
  } else {
    out.reply(verify.token, {
      error: (topic, partition) =>
        metadata.partitions.get(topic)?.has(partition) === true ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE,
    })
  }
}

/** Whether a request comes from the producer that owns the transactional id. */
export function validateOwner(
  metadata: TransactionMetadata | undefined,
  claim: { readonly transactionalId: string; readonly producerId: number; readonly producerEpoch: number },
): ErrorCode {
  if (claim.transactionalId === "") return ErrorCode.INVALID_REQUEST
  if (metadata === undefined || metadata.producerId !== claim.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
  return metadata.producerEpoch === claim.producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED
}

export function sameForAll(error: ErrorCode): PartitionResults {
  return { error: () => error }
}
