/** What a transaction shard is asked, the timers it sets itself, and what it asks of others. */
import type { DescribeTransactionsResponse } from "@millrace/protocol/messages/describe-transactions"
import type { EndTxnRequest, EndTxnResponse } from "@millrace/protocol/messages/end-txn"
import type { InitProducerIdRequest, InitProducerIdResponse } from "@millrace/protocol/messages/init-producer-id"
import type { ListTransactionsRequest, ListTransactionsResponse } from "@millrace/protocol/messages/list-transactions"
import type { ErrorCode } from "@millrace/protocol"
import type { NameMatcher } from "../coordinator/patterns.ts"
import type { Outcome, Token } from "../coordinator/shard.ts"
import type { TransactionRequestContext } from "./coordinator.ts"
import type { TransactionPartitions } from "./metadata.ts"
import type { TransactionRecord } from "./records.ts"

export type InitRequest = {
  readonly kind: "init-producer-id"
  readonly token: Token<InitProducerIdResponse>
  readonly context: TransactionRequestContext
  readonly request: InitProducerIdRequest & { readonly transactionalId: string }
}

/** The result of adding partitions, or of asking whether they are in: one error for each. */
export interface PartitionResults {
  error(topic: string, partition: number): ErrorCode
}

export type AddRequest = {
  readonly kind: "add-partitions" | "verify-partitions"
  readonly token: Token<PartitionResults>
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly partitions: TransactionPartitions
  /** 2 when a broker adds them on a client's behalf (AddPartitionsToTxn v4+), else 0. */
  readonly clientTransactionVersion: number
}

export type EndRequest = {
  readonly kind: "end-txn"
  readonly token: Token<EndTxnResponse>
  readonly context: TransactionRequestContext
  readonly request: EndTxnRequest
}

/** All markers of a decided transaction are in their logs. */
export type MarkersWritten = {
  readonly kind: "markers-written"
  readonly token: Token<ErrorCode>
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

export type DescribeRequest = {
  readonly kind: "describe"
  readonly token: Token<DescribeTransactionsResponse["transactionStates"]>
  readonly transactionalIds: readonly string[]
}

export type ListRequest = {
  readonly kind: "list"
  readonly token: Token<{ readonly error: ErrorCode; readonly states: ListTransactionsResponse["transactionStates"] }>
  readonly request: ListTransactionsRequest
  /** Of its pattern; undefined when it has none. */
  readonly matches: NameMatcher | undefined
}

export type TransactionRequest = InitRequest | AddRequest | EndRequest | MarkersWritten | DescribeRequest | ListRequest

export type TransactionTimeout =
  /** A transaction has been open for its timeout. */
  | {
      readonly kind: "timeout"
      readonly transactionalId: string
      readonly producerId: number
      readonly producerEpoch: number
      readonly startTimestamp: number
    }
  /** Time to look for transactional ids that nobody uses any more. */
  | { readonly kind: "cleanup" }

/** Asks for the markers of a decided transaction. They may be asked for again after a crash. */
export interface MarkersSend {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly commit: boolean
  readonly partitions: TransactionPartitions
}

export type TransactionOutcome = Outcome<TransactionRecord, TransactionTimeout, MarkersSend>
