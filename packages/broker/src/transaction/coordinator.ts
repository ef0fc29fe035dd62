/**
 * The transaction coordinator as API handlers see it. `service.ts` implements it over `__transaction_state`.
 *
 * Every call resolves, never rejects: failures are error codes in the response. The life cycle is driven as for groups:
 * `onElection`, `onResignation`, `onHighWatermark`.
 */
import type { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from "@millrace/protocol/messages/add-offsets-to-txn"
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from "@millrace/protocol/messages/add-partitions-to-txn"
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from "@millrace/protocol/messages/describe-transactions"
import type { EndTxnRequest, EndTxnResponse } from "@millrace/protocol/messages/end-txn"
import type { InitProducerIdRequest, InitProducerIdResponse } from "@millrace/protocol/messages/init-producer-id"
import type { ListTransactionsRequest, ListTransactionsResponse } from "@millrace/protocol/messages/list-transactions"
import type { EndTransactionMarker } from "../coordinator/shard.ts"

export interface TransactionRequestContext {
  readonly apiVersion: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `written`: in the log and committed. `gone`: the partition does not exist any more. `retry`: not now. */
export type MarkerOutcome = "written" | "gone" | "retry"

/** Given by the broker: puts the end of a transaction on one partition, wherever it lives. */
export interface MarkerWriter {
  /**
   * Writes the control batch. Writing the same marker twice must be harmless: after a crash all of a decided
   * transaction's markers are sent again. Partitions of `__consumer_offsets` go through
   * `GroupCoordinator.completeTransaction`.
   */
  writeMarker(partition: TopicPartition, marker: EndTransactionMarker): Promise<MarkerOutcome>
}

/** Given by the controller: ranges of producer ids that were never given out before, also not before a crash. */
export interface ProducerIdBlocks {
  allocate(): Promise<{ readonly firstProducerId: number; readonly size: number }>
}

export interface TransactionCoordinator {
  /** The partition of `__transaction_state` that keeps a transactional id; undefined while the topic is absent. */
  partitionFor(transactionalId: string): number | undefined

  initProducerId(context: TransactionRequestContext, request: InitProducerIdRequest): Promise<InitProducerIdResponse>
  /** v0-3 is the clients' shape, v4+ the brokers' batched one, with `verifyOnly`. */
  addPartitionsToTxn(
    context: TransactionRequestContext,
    request: AddPartitionsToTxnRequest,
  ): Promise<AddPartitionsToTxnResponse>
  addOffsetsToTxn(context: TransactionRequestContext, request: AddOffsetsToTxnRequest): Promise<AddOffsetsToTxnResponse>
  endTxn(context: TransactionRequestContext, request: EndTxnRequest): Promise<EndTxnResponse>
  describeTransactions(
    context: TransactionRequestContext,
    request: DescribeTransactionsRequest,
  ): Promise<DescribeTransactionsResponse>
  listTransactions(
    context: TransactionRequestContext,
    request: ListTransactionsRequest,
  ): Promise<ListTransactionsResponse>

  onElection(partition: number, leaderEpoch: number): void
  onResignation(partition: number): void
  onHighWatermark(partition: number, highWatermark: number): void
  close(): void
}
