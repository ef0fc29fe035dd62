/**
 * Which failures a worker survives: it aborts, reads its input again and tries once more. Everything else ends the run:
 * trying again would fail again, or nobody knows what it was.
 */
import {
  CommitFailed,
  CommitOutcomeUnknown,
  ErrorCode,
  KafkaError,
  ProducerFenced,
  TimeoutError,
  TransactionAbortable,
  TransactionAborted,
} from "@millrace/client"
import { NetError } from "@millrace/host"
import { DrainTimeout } from "./task-set.ts"

/**
 * A new producer and an abort mend these. `ProducerFenced` is among them: brokers fence a producer whose transaction took
 * too long, and the state directory's lock keeps another process from having the same id.
 */
const TRANSIENT = [
  CommitFailed,
  CommitOutcomeUnknown,
  DrainTimeout,
  NetError,
  ProducerFenced,
  TimeoutError,
  TransactionAbortable,
  TransactionAborted,
]

const TRANSIENT_CODES: ReadonlySet<number> = new Set([
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.TRANSACTION_ABORTABLE,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
])

export function isTransient(failure: unknown): boolean {
  if (failure instanceof KafkaError) return failure.retriable || TRANSIENT_CODES.has(failure.code)
  return TRANSIENT.some((kind) => failure instanceof kind)
}

const RETRY_BACKOFF_MS = 100
const RETRY_BACKOFF_MS_MAX = 5_000

/** How long to wait before the next attempt; the first is 0. */
export const retryDelayMs = (attempt: number): number => Math.min(RETRY_BACKOFF_MS_MAX, RETRY_BACKOFF_MS * 2 ** attempt)
