/** DescribeTransactions and ListTransactions (row 48). */
import { ErrorCode } from "@millrace/protocol"
import type { DescribeTransactionsResponse } from "@millrace/protocol/messages/describe-transactions"
import type { DescribeRequest, ListRequest, TransactionOutcome } from "./requests.ts"
import type { TransactionShardState } from "./shard-state.ts"

export type DescribedTransaction = DescribeTransactionsResponse["transactionStates"][number]

export function describeTransactions(
  shard: TransactionShardState,
  { transactionalIds, token }: DescribeRequest,
  out: TransactionOutcome,
): void {
  out.reply(
    token,
    transactionalIds.map((transactionalId): DescribedTransaction => {
      if (transactionalId === "") return describedError(transactionalId, ErrorCode.INVALID_REQUEST)
      const metadata = shard.transactions.get(transactionalId)
      if (metadata === undefined) return describedError(transactionalId, ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
      return {
        errorCode: ErrorCode.NONE,
        transactionalId,
        transactionState: metadata.state,
        transactionTimeoutMs: metadata.timeoutMs,
        transactionStartTimeMs: metadata.startTimestamp,
        producerId: metadata.producerId,
        producerEpoch: metadata.producerEpoch,
        topics: [...metadata.partitions].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
      }
    }),
  )
}

export function describedError(transactionalId: string, errorCode: ErrorCode): DescribedTransaction {
  return {
    errorCode,
    transactionalId,
    transactionState: "",
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  }
}

export function listTransactions(
  shard: TransactionShardState,
  { request, matches, token }: ListRequest,
  now: number,
  out: TransactionOutcome,
): void {
  const { durationFilter } = request
  const states = new Set(request.stateFilters)
  const producerIds = new Set(request.producerIdFilters)
  const listed = [...shard.transactions.values()]
    .filter(({ state }) => states.size === 0 || states.has(state))
    .filter(({ producerId }) => producerIds.size === 0 || producerIds.has(producerId))
    .filter(({ startTimestamp }) => durationFilter < 0 || now - startTimestamp > durationFilter)
    .filter(({ transactionalId }) => matches === undefined || matches(transactionalId))
    .map(({ transactionalId, producerId, state }) => ({ transactionalId, producerId, transactionState: state }))
  out.reply(token, { error: ErrorCode.NONE, states: listed })
}
