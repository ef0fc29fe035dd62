/**
 * The pattern of a coordinator: a state machine over one partition of an internal topic.
 *
 * A decision is a synchronous, total function of (state, request, now). It answers with data only: records to append,
 * replies, timers, and requests to others. `replay` alone changes durable state, and it runs for a fresh record as it
 * runs for one read back after a restart, so "what the log says" and "what memory says" cannot drift apart.
 *
 *     request ──> handle ──> Decision { records, replies, timers, sends }
 *                               │ append, one batch for all decisions of a turn
 *                               v
 *                            replay ──> state          replies and sends leave at the high watermark
 *
 * Beside durable state a shard has soft state, such as who waits in a rebalance. Both live in the containers of
 * `undo.ts`, so a turn whose append fails leaves no trace: state, timers and parked replies are those of before, and
 * the requests of that turn are answered with the append's error.
 *
 * A reply names a token, not a connection: the answer to JoinGroup comes when others have joined, perhaps from a timer.
 */
import type { ErrorCode } from "@millrace/protocol"

declare const answer: unique symbol

/** Names one request that waits for its answer. The runtime owns the mapping to whoever asked. */
export type Token<Response> = number & { readonly [answer]?: Response }

export interface Reply {
  readonly token: Token<unknown>
  readonly response: unknown
}

/** Arms the deadline of `key` (an earlier one of the same key is replaced), or disarms it when `deadline` is null. */
export interface TimerChange {
  readonly key: string
  readonly deadline: number | null
}

/** A producer's transaction that records of a decision belong to (offsets committed inside a transaction). */
export interface TransactionScope {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface EndTransactionMarker extends TransactionScope {
  readonly commit: boolean
  readonly coordinatorEpoch: number
}

/** What a request, a timer or a load leads to. Records of one decision are appended in one batch: all or none. */
export interface Decision<Record, Send = never> {
  readonly records: readonly Record[]
  readonly replies: readonly Reply[]
  readonly timers: readonly TimerChange[]
  /** Requests to other parts of the broker; they leave when the records are committed, like replies. */
  readonly sends: readonly Send[]
  /** Set when the records belong to a producer's transaction: they count once its commit marker is replayed. */
  readonly transaction?: TransactionScope | undefined
}

/** A record as it lies in the log. */
export interface RawRecord {
  readonly key: Uint8Array
  /** Null is a tombstone. */
  readonly value: Uint8Array | null
}

export interface CoordinatorShard<Request, Record, Send = never> {
  handle(request: Request, now: number): Decision<Record, Send>
  /** A deadline that a decision armed has passed. */
  expire(key: string, now: number): Decision<Record, Send>
  /** Applies one record. The only way durable state changes. */
  replay(record: Record, transaction: TransactionScope | undefined): void
  /** Applies the end of a producer's transaction, if the shard's topic takes transactional records. */
  replayMarker(marker: TransactionScope & { readonly commit: boolean }): void
  /** The log was replayed to its end: derive soft state, arm timers, resume what was under way. */
  load(now: number): Decision<Record, Send>
  /** This broker no longer owns the partition: the requests that still wait, with their answers. */
  unload(error: ErrorCode): readonly Reply[]
  /** The answer to a request that could not be handled. `error` is as the log reported it; the shard maps it. */
  refuse(request: Request, error: ErrorCode): Reply
  encode(record: Record): RawRecord
  /** Undefined when a newer version wrote a record type that this one does not know: it is skipped. */
  decode(record: RawRecord): Record | undefined
}

const nothing: readonly never[] = []

/** A decision that only answers. */
export function answerWith<Response>(token: Token<Response>, response: Response): Decision<never, never> {
  return { records: nothing, replies: [{ token, response }], timers: nothing, sends: nothing }
}

export const noDecision: Decision<never, never> = {
  records: nothing,
  replies: nothing,
  timers: nothing,
  sends: nothing,
}
