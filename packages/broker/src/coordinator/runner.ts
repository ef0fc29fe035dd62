/**
 * Runs the shard of one partition: the thin shell around a pure core, and the partition's single writer.
 *
 * Requests of one event-loop turn are decided in order and their records appended together. Then, in this order: timers
 * change, and at the high watermark replies and sends leave. Every reply waits for all that its decision could have seen,
 * so nobody learns of a state that a failover takes back.
 *
 *     loading ──(log replayed to its end)──> active ──(resigned, broken log)──> closed
 *
 * A unit is what one append carries: the decisions of a turn, or one transactional decision, or one marker. A unit that
 * the log refuses leaves no trace (see undo.ts); its requests are answered with the log's error. Nor does a decision that
 * throws: its request gets UNKNOWN_SERVER_ERROR, a timer is tried again, and the others of the turn go on, since what one
 * client sends must not end the broker for all.
 */
import { type Clock, invariant, type Timer } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { endTxnMarkerBatch } from "@millrace/protocol/record/control"
import { BatchesBuilder, batchBytesMax } from "./batches.ts"
import type { CoordinatorLog } from "./log.ts"
import { replayBatches } from "./replay.ts"
import type {
  CoordinatorShard,
  Decision,
  EndTransactionMarker,
  RawRecord,
  Reply,
  TimerChange,
  Token,
  TransactionScope,
} from "./shard.ts"
import { type Due, KeyedTimers } from "./timers.ts"

/** Bytes of log replayed before other work gets a turn (Kafka's `offsets.load.buffer.size`). */
const loadBytesPerTurn = 5_242_880

export interface RunnerOptions<Request, Record, Timeout, Send> {
  readonly partition: number
  readonly leaderEpoch: number
  readonly log: CoordinatorLog
  readonly clock: Clock
  readonly shard: CoordinatorShard<Request, Record, Timeout, Send>
  /** How long a reply may wait for the high watermark (`offsets.commit.timeout.ms`). */
  readonly commitTimeoutMs: number
  /** The answer to a request that was not handled, or whose records were not committed. */
  refuse(request: Request, error: ErrorCode): unknown
  send(send: Send): void
  /** The partition's log cannot be replayed. */
  fault(error: unknown): void
  /** A decision threw: a defect of the shard, which is as it was before. */
  defect(error: unknown): void
}

type Event<Request, Timeout> =
  | {
      readonly kind: "request"
      readonly token: Token<unknown>
      readonly request: Request
      readonly scope: TransactionScope | undefined
    }
  | { readonly kind: "timer"; readonly due: Due<Timeout> }
  | { readonly kind: "marker"; readonly marker: EndTransactionMarker; readonly done: (error: ErrorCode) => void }

interface Unit<Request, Timeout, Send> {
  readonly scope: TransactionScope | undefined
  readonly baseOffset: number
  readonly batches: BatchesBuilder
  readonly events: Event<Request, Timeout>[]
  readonly replies: Reply[]
  readonly sends: Send[]
  readonly timers: TimerChange<Timeout>[]
  /** The keys of `timers`, and the timers that were decided about: what runs out meanwhile says nothing new. */
  readonly moved: Set<string>
  readonly expired: Set<Due<Timeout>>
}

/** What waits until the high watermark reaches `offset`. */
interface Deferred<Send> {
  readonly offset: number
  readonly replies: Reply[]
  readonly sends: readonly Send[]
  readonly markers: readonly ((error: ErrorCode) => void)[]
  readonly timer: Timer
}

export class ShardRunner<Request, Record, Timeout, Send> {
  readonly #options: RunnerOptions<Request, Record, Timeout, Send>
  readonly #timers: KeyedTimers<Timeout>
  /** Requests without an answer yet: queued, parked in the shard, or waiting for the high watermark. */
  readonly #waiting = new Map<
    Token<unknown>,
    { readonly request: Request; readonly answer: (response: unknown) => void }
  >()
  #phase: "loading" | "active" | "closed" = "loading"
  #queue: Event<Request, Timeout>[] = []
  #scheduled = false
  #deferred: Deferred<Send>[] = []
  #nextToken = 1
  /** The log's end as this writer left it. */
  #writtenTo = 0

  constructor(options: RunnerOptions<Request, Record, Timeout, Send>) {
    this.#options = options
    this.#timers = new KeyedTimers(options.clock, (due) => this.#enqueue({ kind: "timer", due }))
  }

  get leaderEpoch(): number {
    return this.#options.leaderEpoch
  }

  /** Replays the log. What is asked before it is done gets COORDINATOR_LOAD_IN_PROGRESS. */
  start(): void {
    this.#load(this.#options.log.logStartOffset(this.#options.partition))
  }

  request<Response>(make: (token: Token<Response>) => Request, scope?: TransactionScope): Promise<Response> {
    const token = this.#nextToken++ as Token<Response>
    const request = make(token)
    if (this.#phase !== "active") {
      const error = this.#phase === "loading" ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NOT_COORDINATOR
      return Promise.resolve(this.#options.refuse(request, error) as Response)
    }
    return new Promise((resolve) => {
      this.#waiting.set(token, { request, answer: resolve as (response: unknown) => void })
      this.#enqueue({ kind: "request", token, request, scope })
    })
  }

  /** Appends the end of a transaction and applies it. */
  endTransaction(marker: EndTransactionMarker): Promise<ErrorCode> {
    if (this.#phase === "loading") return Promise.resolve(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    if (this.#phase === "closed") return Promise.resolve(ErrorCode.NOT_COORDINATOR)
    return new Promise((resolve) => this.#enqueue({ kind: "marker", marker, done: resolve }))
  }

  highWatermarkAdvanced(highWatermark: number): void {
    let ready = 0
    while (ready < this.#deferred.length && (this.#deferred[ready]?.offset ?? Infinity) <= highWatermark) ready++
    if (ready === 0) return
    for (const deferred of this.#deferred.splice(0, ready)) {
      deferred.timer.cancel()
      for (const done of deferred.markers) done(ErrorCode.NONE)
      this.#release(deferred.replies, deferred.sends)
    }
  }

  /** Gives the partition up. Whoever waits is told to look for its coordinator again. */
  close(error: ErrorCode): void {
    this.#phase = "closed"
    this.#timers.clear()
    for (const event of this.#queue) if (event.kind === "marker") event.done(error)
    this.#queue = []
    for (const deferred of this.#deferred) {
      deferred.timer.cancel()
      for (const done of deferred.markers) done(error)
    }
    this.#deferred = []
    for (const { request, answer } of this.#waiting.values()) answer(this.#options.refuse(request, error))
    this.#waiting.clear()
  }

  #load(fromOffset: number): void {
    const { log, partition, shard, clock } = this.#options
    if (this.#phase !== "loading") return
    try {
      const bytes = log.read(partition, fromOffset, loadBytesPerTurn)
      const nextOffset = replayBatches(bytes, shard) ?? fromOffset
      if (bytes.byteLength > 0 && nextOffset < log.logEndOffset(partition)) {
        clock.setTimer(0, () => this.#load(nextOffset), { background: true })
        return
      }
      const decision = shard.load(clock.now())
      invariant(decision.records.length === 0, "a shard decides nothing durable while it loads")
      this.#activate(decision)
    } catch (error) {
      this.close(ErrorCode.NOT_COORDINATOR)
      this.#options.fault(error)
    }
  }

  #activate(decision: Decision<Record, Timeout, Send>): void {
    const { log, partition } = this.#options
    this.#phase = "active"
    this.#writtenTo = log.logEndOffset(partition)
    for (const change of decision.timers) this.#timers.apply(change)
    this.#defer(decision.replies, decision.sends, [])
  }

  #enqueue(event: Event<Request, Timeout>): void {
    if (this.#phase !== "active") return
    this.#queue.push(event)
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.#turn())
  }

  #turn(): void {
    const { shard } = this.#options
    this.#scheduled = false
    if (this.#phase !== "active") return
    const events = this.#queue
    this.#queue = []
    let unit = this.#open(undefined)
    let isCaughtUp = false
    for (const event of events) {
      if (event.kind === "marker") {
        this.#append(unit)
        this.#appendMarker(event.marker, event.done)
        unit = this.#open(undefined)
      } else if (event.kind === "request" && event.scope !== undefined) {
        // The log may refuse a fenced producer's batch, which must not take other requests down with it.
        this.#append(unit)
        unit = this.#open(event.scope)
        this.#decide(unit, event)
        this.#append(unit)
        unit = this.#open(undefined)
      } else {
        // Once a turn, within which no timer could fire either.
        if (!isCaughtUp && event.kind === "request" && shard.dependsOnTime?.(event.request)) {
          this.#catchUp(unit)
          isCaughtUp = true
        }
        this.#decide(unit, event)
      }
    }
    this.#append(unit)
  }

  /** Decides about timers that this thread was too busy to fire. Kafka's have a thread of their own. */
  #catchUp(unit: Unit<Request, Timeout, Send>): void {
    for (const due of this.#timers.overdue()) this.#decide(unit, { kind: "timer", due })
  }

  #open(scope: TransactionScope | undefined): Unit<Request, Timeout, Send> {
    const { log, partition, shard } = this.#options
    shard.undo.begin()
    return {
      scope,
      baseOffset: log.logEndOffset(partition),
      batches: new BatchesBuilder(log.maxBatchBytes(partition), scope),
      events: [],
      replies: [],
      sends: [],
      timers: [],
      moved: new Set(),
      expired: new Set(),
    }
  }

  #decide(unit: Unit<Request, Timeout, Send>, event: Exclude<Event<Request, Timeout>, { kind: "marker" }>): void {
    const { shard, clock, log, partition, defect } = this.#options
    const now = clock.now()
    // A heartbeat decided just before, in this very turn, has moved the timer although its change is not applied yet.
    if (event.kind === "timer") {
      const { due } = event
      if (unit.moved.has(due.key) || unit.expired.has(due) || !this.#timers.isCurrent(due)) return
    }
    const mark = shard.undo.mark()
    let decision: Decision<Record, Timeout, Send>
    let records: RawRecord[]
    try {
      decision = event.kind === "timer" ? shard.expire(event.due.timeout, now) : shard.handle(event.request, now)
      records = decision.records.map((record) => shard.encode(record))
      if (!fits(records, decision.atomic ?? true, log.maxBatchBytes(partition))) {
        shard.undo.rollback(mark)
        this.#refuse(event, ErrorCode.MESSAGE_TOO_LARGE)
        return
      }
      let offset = unit.baseOffset + unit.batches.recordCount
      for (const record of decision.records) shard.replay(record, { offset: offset++, transaction: unit.scope })
    } catch (error) {
      shard.undo.rollback(mark)
      this.#refuse(event, ErrorCode.UNKNOWN_SERVER_ERROR)
      defect(error)
      return
    }
    unit.batches.add(records, decision.atomic ?? true, now)
    unit.events.push(event)
    if (event.kind === "timer") unit.expired.add(event.due)
    for (const reply of decision.replies) unit.replies.push(reply)
    for (const send of decision.sends) unit.sends.push(send)
    for (const change of decision.timers) {
      unit.timers.push(change)
      unit.moved.add(change.key)
    }
  }

  #append(unit: Unit<Request, Timeout, Send>): void {
    const { log, partition, leaderEpoch, shard } = this.#options
    if (unit.batches.recordCount > 0) {
      const result = log.append(partition, unit.batches.build(), leaderEpoch)
      if (!result.ok) {
        shard.undo.rollback(0)
        shard.undo.forget()
        for (const event of unit.events) this.#refuse(event, result.error)
        return
      }
      invariant(result.baseOffset === unit.baseOffset, "a coordinator's partition has one writer")
      this.#writtenTo = result.lastOffset + 1
    }
    shard.undo.forget()
    for (const event of unit.events) if (event.kind === "timer") this.#timers.settle(event.due)
    for (const change of unit.timers) this.#timers.apply(change)
    this.#defer(unit.replies, unit.sends, [])
  }

  #appendMarker(marker: EndTransactionMarker, done: (error: ErrorCode) => void): void {
    const { log, partition, leaderEpoch, shard, clock } = this.#options
    const { producerId, producerEpoch, coordinatorEpoch, commit: committed } = marker
    const timestamp = clock.now()
    const batch = endTxnMarkerBatch({ producerId, producerEpoch, coordinatorEpoch, committed, timestamp })
    const result = log.append(partition, batch, leaderEpoch)
    if (!result.ok) {
      done(result.error)
      return
    }
    this.#writtenTo = result.lastOffset + 1
    shard.replayMarker(marker)
    shard.undo.forget()
    this.#defer([], [], [done])
  }

  #refuse(event: Event<Request, Timeout>, error: ErrorCode): void {
    if (event.kind === "timer") this.#timers.retry(event.due)
    else if (event.kind === "request") this.#answer(event.token, this.#options.refuse(event.request, error))
  }

  #defer(replies: Reply[] | readonly Reply[], sends: readonly Send[], markers: ((error: ErrorCode) => void)[]): void {
    if (replies.length === 0 && sends.length === 0 && markers.length === 0) return
    const { log, partition, clock, commitTimeoutMs } = this.#options
    const offset = this.#writtenTo
    if (log.highWatermark(partition) >= offset && this.#deferred.length === 0) {
      for (const done of markers) done(ErrorCode.NONE)
      this.#release(replies, sends)
      return
    }
    const deferred: Deferred<Send> = {
      offset,
      replies: [...replies],
      sends,
      markers,
      timer: clock.setTimer(commitTimeoutMs, () => this.#timedOut(deferred), { background: true }),
    }
    this.#deferred.push(deferred)
    this.highWatermarkAdvanced(log.highWatermark(partition))
  }

  /** Replies stop waiting; the records may still be committed, and sends still leave then. */
  #timedOut(deferred: Deferred<Send>): void {
    for (const { token } of deferred.replies.splice(0)) {
      const waiting = this.#waiting.get(token)
      if (waiting !== undefined) this.#answer(token, this.#options.refuse(waiting.request, ErrorCode.REQUEST_TIMED_OUT))
    }
  }

  #release(replies: readonly Reply[], sends: readonly Send[]): void {
    for (const { token, response } of replies) this.#answer(token, response)
    for (const send of sends) this.#options.send(send)
  }

  #answer(token: Token<unknown>, response: unknown): void {
    const waiting = this.#waiting.get(token)
    invariant(waiting !== undefined, "a request gets exactly one answer")
    this.#waiting.delete(token)
    waiting.answer(response)
  }
}

function fits(records: readonly RawRecord[], atomic: boolean, maxBatchBytes: number): boolean {
  if (atomic) return records.length === 0 || batchBytesMax(records) <= maxBatchBytes
  return records.every((record) => batchBytesMax([record]) <= maxBatchBytes)
}
