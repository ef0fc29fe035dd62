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
import type { UndoLog } from "./undo.ts"

declare const answer: unique symbol

/** Names one request that waits for its answer. The runtime owns the mapping to whoever asked. */
export type Token<Response> = number & { readonly [answer]?: Response }

export interface Reply {
  readonly token: Token<unknown>
  readonly response: unknown
}

/**
 * Arms a timer, or disarms it when `delayMs` is null. A key has at most one timer: arming it again moves it. Kept as a
 * delay, not a date, because deadlines run on the monotonic clock and `now` on the wall clock.
 */
export interface TimerChange<Timeout> {
  readonly key: string
  readonly delayMs: number | null
  /** What `expire` is told. Absent when the timer is disarmed. */
  readonly timeout?: Timeout
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

/** What a request, a timer or a load leads to. */
export interface Decision<Record, Timeout, Send> {
  /** Appended in one batch, all or none, unless `atomic` is false. */
  readonly records: readonly Record[]
  readonly replies: readonly Reply[]
  readonly timers: readonly TimerChange<Timeout>[]
  /** Requests to other parts of the broker; they leave when the records are committed, like replies. */
  readonly sends: readonly Send[]
  /** False when the records may be spread over batches, since each makes sense alone (expired offsets). */
  readonly atomic?: boolean
}

/** Where a replayed record lies, and in whose transaction. */
export interface RecordContext {
  readonly offset: number
  readonly transaction: TransactionScope | undefined
}

/** A record as it lies in the log. */
export interface RawRecord {
  readonly key: Uint8Array
  /** Null is a tombstone. */
  readonly value: Uint8Array | null
}

/** Collects a decision while it is made. */
export class Outcome<Record, Timeout, Send = never> implements Decision<Record, Timeout, Send> {
  readonly records: Record[] = []
  readonly replies: Reply[] = []
  readonly timers: TimerChange<Timeout>[] = []
  readonly sends: Send[] = []
  atomic = true

  reply<Response>(token: Token<Response>, response: Response): this {
    this.replies.push({ token, response })
    return this
  }

  arm(key: string, delayMs: number, timeout: Timeout): void {
    this.timers.push({ key, delayMs, timeout })
  }

  disarm(key: string): void {
    this.timers.push({ key, delayMs: null })
  }
}

export interface CoordinatorShard<Request, Record, Timeout, Send> {
  /** Everything the shard keeps is in containers of this log. */
  readonly undo: UndoLog
  handle(request: Request, now: number): Decision<Record, Timeout, Send>
  /**
   * Whether the request's answer turns on what time alone changes, such as whether members are still there: timers that
   * should have run out by now do so before it.
   */
  dependsOnTime?(request: Request): boolean
  /** A timer that a decision armed has run out. */
  expire(timeout: Timeout, now: number): Decision<Record, Timeout, Send>
  /** Applies one record. The only way durable state changes. */
  replay(record: Record, context: RecordContext): void
  /** Applies the end of a producer's transaction, if the shard's topic takes transactional records. */
  replayMarker(marker: TransactionScope & { readonly commit: boolean }): void
  /** The log was replayed to its end: derive soft state, arm timers, resume what was under way. */
  load(now: number): Decision<Record, Timeout, Send>
  encode(record: Record): RawRecord
  /** Undefined when a newer version wrote a record type that this one does not know: it is skipped. */
  decode(record: RawRecord): Record | undefined
}
