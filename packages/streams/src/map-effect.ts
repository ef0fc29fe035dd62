/**
 * mapEffect: an effect per record, inside the transaction.
 *
 * Up to `concurrency` effects of a task run at once, with `serialBy: "key"` at most one per key; results apply in the
 * order of the input, whatever finishes first. Nothing crosses a transaction: a commit waits for the effects under way, an
 * abort interrupts them, and their records are processed again. So an effect may run more than once; its
 * `idempotencyKey` is the same each time.
 *
 * State: none. Time and key: the input's; the value's serde is not known any more. Tombstones pass.
 * A failure that is left when there are no more retries, or a timeout (`CallTimeout`), goes to `onFailure`: fail the
 * pipeline, skip the record and count it, or write it to a dead-letter topic in the same transaction. Without `onFailure`,
 * and for defects, the handler of failures decides that is nearest (dsl/failure.ts).
 *
 * An async function in the place of the effect: map-async.ts. Effect itself is the runner's matter (run/effects.ts): this file uses its types alone.
 */
import type { Effect, Schedule } from "effect"
import { type Duration, durationMs } from "./dsl/duration.ts"
import { NO_OFFSET, type Rec, StreamRecord, TOMBSTONE } from "./dsl/record.ts"
import { type Stream, streamNode, streamOf } from "./dsl/stream.ts"
import { checkedAction, type FailureAction, isAction } from "./dsl/failure.ts"
import type { Topic } from "./dsl/topic.ts"
import { type CallTimeout, PipelineError } from "./errors.ts"
import { DeadLetters } from "./operators/dead-letters.ts"
import { type Operator, Processor } from "./operators/operator.ts"
import { byteString } from "./state/byte-order.ts"
import type { TaskContext } from "./task/context.ts"
import type { JobResult } from "./task/effects.ts"
import { asRead, Failures, type RawRecord, rawOf } from "./task/failures.ts"
import type { Slot } from "./task/gate.ts"
import { makeNode } from "./topology/node.ts"
import type { PhysicalNode } from "./topology/topology.ts"

/** Dead letters hold the record that the effect was given, so that their topic is a definition with serdes. */
export type CallFailureAction = Exclude<FailureAction, object> | { readonly deadLetter: Topic<any, any> }

export interface MapEffectOptions<K, V, E> {
  /** For messages and idempotency keys; without it they change when operators are added. */
  readonly name?: string
  readonly concurrency: number
  /** Retries included. Must be below half the transaction timeout. */
  readonly timeout: Duration
  readonly serialBy?: "none" | "key"
  /** As `Effect.retry` takes it: a schedule, or which failures are worth another attempt, and how many. */
  readonly retry?: Schedule.Schedule<unknown, E> | RetryOptions<E>
  /** What becomes of a record whose call failed, or took too long, retries included. */
  readonly onFailure?: CallFailureAction | ((error: E | CallTimeout, record: Rec<K, V>) => CallFailureAction)
  /** Topics that `onFailure` may answer: known before one is needed, they are created and shown with the pipeline's others. */
  readonly deadLetters?: readonly Topic<any, any>[]
}

/** Those of `Effect.retry`. */
export interface RetryOptions<E> {
  /** Only failures of which this is true are tried again. */
  readonly while?: (error: E) => boolean
  /** Failures of which this is true are not. */
  readonly until?: (error: E) => boolean
  /** So many attempts after the first. */
  readonly times?: number
  /** The pauses between attempts, and when to give up; none, and never, without it. */
  readonly schedule?: Schedule.Schedule<unknown, E>
}

/** A call that answers a promise, which rejects with its failure; the signal is aborted when nobody waits any more. */
export class AsyncCall {
  readonly run: (signal: AbortSignal) => PromiseLike<unknown>
  constructor(run: AsyncCall["run"]) {
    this.run = run
  }
}

/** What the effect port is given. */
export interface EffectJob {
  readonly make: () => Effect.Effect<unknown, unknown, unknown> | AsyncCall
  readonly timeoutMs: number
  readonly retry: Schedule.Schedule<unknown, unknown> | RetryOptions<unknown> | undefined
}

const mapEffectOperator: Operator = {
  kind: "map-effect",
  suspends: true,
  make: (node, context) => new MapEffect(node, context),
}

export function mapEffect<K, V, W, E, R2, R>(
  f: (value: V, record: Rec<K, V> & { readonly idempotencyKey: string }) => Effect.Effect<W, E, R2>,
  options: MapEffectOptions<K, V, E>,
): (s: Stream<K, V, R>) => Stream<K, W, R | R2> {
  return mapJob("mapEffect", f, options)
}

/** For mapEffect and mapAsync: `f` answers what `EffectJob` makes. */
export function mapJob<K, V, E>(
  what: string,
  f: (value: V, record: any) => unknown,
  options: MapEffectOptions<K, V, E>,
): (s: Stream<K, V, any>) => Stream<K, any, any> {
  const { name, concurrency, serialBy = "none", retry, onFailure, deadLetters = [] } = options
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new PipelineError(`${what}: a concurrency of ${concurrency} must be a whole number from 1 on`)
  }
  const timeoutMs = durationMs(`${what} timeout`, options.timeout)
  if (timeoutMs === 0) throw new PipelineError(`${what}: the timeout must be more than 0`)
  if (retry !== undefined && isEndless(retry))
    throw new PipelineError(`${what}: retry needs times or a schedule: it would try without a pause until the timeout`)
  const letters = [...deadLetters]
  if (typeof onFailure === "object") letters.push(onFailure.deadLetter)
  if ((onFailure !== undefined && typeof onFailure !== "function" && !isAction(onFailure)) || !letters.every(isTopic))
    throw new PipelineError(
      `${what}: onFailure must be "fail", "skip", { deadLetter: a topic's definition } or a function that answers one of them`,
    )
  const functions = {
    f,
    retry: () => retry,
    ...(onFailure !== undefined && { onFailure: typeof onFailure === "function" ? onFailure : () => onFailure }),
  }
  return (s) => {
    const inputs = [streamNode(what, s)]
    const written = {
      concurrency,
      timeoutMs,
      serialBy,
      ...(letters.length > 0 && { deadLetters: letters.map((topic) => topic.name) }),
    }
    return streamOf(
      makeNode({ operator: mapEffectOperator, name, inputs, options: written, functions, value: undefined }),
    )
  }
}

const isTopic = (topic: unknown): boolean => typeof (topic as Topic<any, any> | undefined)?.name === "string"

/** A schedule, which is a value of Effect's own making, says when to stop. */
const isEndless = (retry: object): boolean =>
  Object.getPrototypeOf(retry) === Object.prototype && !("times" in retry) && !("schedule" in retry)

export class EffectRecord extends StreamRecord {
  readonly idempotencyKey: string
  constructor(record: StreamRecord, idempotencyKey: string) {
    const { key, value, timestamp, headers, offset, origin, clock, old } = record
    super(key, value, timestamp, headers, offset, origin, clock, old)
    this.idempotencyKey = idempotencyKey
  }
}

interface Job {
  readonly record: EffectRecord
  /** As the task read it, where a handler of failures may want that. */
  readonly raw: RawRecord | undefined
  readonly slot: Slot
  /** Jobs of one lane run one after another; undefined when any may run beside any. */
  readonly lane: unknown
  cancel: (() => void) | undefined
  isOver: boolean
}

class MapEffect extends Processor {
  readonly #f = this.node.logical.functions["f"]!
  readonly #onFailure = this.node.logical.functions["onFailure"] as
    | ((error: unknown, record: StreamRecord) => CallFailureAction)
    | undefined
  readonly #retry = this.node.logical.functions["retry"]!() as EffectJob["retry"]
  readonly #concurrency = this.node.logical.options["concurrency"] as number
  readonly #timeoutMs = this.node.logical.options["timeoutMs"] as number
  readonly #isSerial = this.node.logical.options["serialBy"] === "key"
  readonly #deadLetters: DeadLetters
  readonly #failures: Failures | undefined
  readonly #running = new Set<Job>()
  /** May start as soon as fewer run. */
  #ready: Job[] = []
  /** Lanes under way, with the jobs that wait for theirs. */
  #lanes = new Map<unknown, Job[]>()
  #ordinal = 0
  #last: StreamRecord | undefined
  readonly #withoutOffset = this.context.cell(`${this.node.name}/without-offset`)

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    if (context.effects === undefined) {
      throw new PipelineError(`pipeline "${context.pipeline}", operator "${node.name}": nothing here runs effects`)
    }
    this.#deadLetters = new DeadLetters(node, context)
    this.#failures = node.onFailure === undefined ? undefined : new Failures(node, context, node.onFailure)
    context.atAbort(() => this.#cancelAll())
  }

  receive(record: StreamRecord): void {
    const slot = this.context.suspend(this)
    if (record.value === TOMBSTONE) {
      slot.results.push(record)
      return slot.release()
    }
    const lane = this.#isSerial ? this.#laneOf(record.key) : undefined
    const raw = this.#failures === undefined ? undefined : rawOf(record)
    const job: Job = { record: this.#identified(record), raw, slot, lane, cancel: undefined, isOver: false }
    const before = lane === undefined ? undefined : this.#lanes.get(lane)
    if (before !== undefined) {
      before.push(job)
      return
    }
    if (lane !== undefined) this.#lanes.set(lane, [])
    this.#ready.push(job)
    this.#startReady()
  }

  #laneOf(key: unknown): unknown {
    return typeof key === "object" && key !== null ? byteString(this.node.key.encode(key)) : key
  }

  /**
   * What a timer or a punctuation sends has no offset: its time and its number among all such records stand for it. The
   * number commits and aborts with the offsets, so that a repetition has the same, and no other call ever.
   */
  #identified(record: StreamRecord): EffectRecord {
    if (record.offset === NO_OFFSET) {
      const number = ++this.#withoutOffset.value
      return new EffectRecord(record, this.#keyOf(record, `at-${record.timestamp}`, number))
    }
    const last = this.#last
    const isSame = last !== undefined && last.origin === record.origin && last.offset === record.offset
    this.#ordinal = isSame ? this.#ordinal + 1 : 0
    this.#last = record
    return new EffectRecord(record, this.#keyOf(record, record.offset, this.#ordinal))
  }

  #keyOf({ topic, partition }: StreamRecord, place: number | string, ordinal: number): string {
    return [this.context.applicationId, topic, partition, place, this.node.name, ordinal].join("/")
  }

  #startReady(): void {
    while (this.#ready.length > 0 && this.#running.size < this.#concurrency) this.#start(this.#ready.shift()!)
  }

  #start(job: Job): void {
    this.#running.add(job)
    const { record } = job
    const effect: EffectJob = {
      make: () => this.#f(record.value, record) as ReturnType<EffectJob["make"]>,
      timeoutMs: this.#timeoutMs,
      retry: this.#retry,
    }
    const cancel = this.context.effects!.start(effect, (result) => {
      if (job.isOver) return
      job.isOver = true
      this.context.resume(() => this.#done(job, result))
    })
    job.cancel = cancel
  }

  #done(job: Job, result: JobResult): void {
    this.#running.delete(job)
    if (job.lane !== undefined) {
      const waiting = this.#lanes.get(job.lane)!
      if (waiting.length === 0) this.#lanes.delete(job.lane)
      else this.#ready.push(waiting.shift()!)
    }
    const { record, slot } = job
    if (result.ok) slot.results.push(record.derive(record.key, result.value, record.timestamp))
    else this.#failedJob(job, result)
    this.#startReady()
    slot.release()
  }

  #failedJob({ record, raw, slot }: Job, { error, expected }: Extract<JobResult, { ok: false }>): void {
    const failure = this.failed(record, error)
    // Nothing that a record could be blamed for.
    if (error instanceof PipelineError) throw failure
    if (!expected || this.#onFailure === undefined) {
      if (this.#failures === undefined) throw failure
      slot.onLeave = this.#failures.decide(failure, record, () => raw ?? asRead(this.node, record))
      return
    }
    const action = checkedAction(this.#onFailure(error, record), this.#onFailure, failure)
    if (action === "fail") throw failure
    if (action === "skip") this.context.drop("skipped", record)
    else slot.onLeave = () => this.#deadLetters.write(action.deadLetter as Topic<any, any>, record, error)
  }

  #cancelAll(): void {
    for (const job of this.#running) {
      job.isOver = true
      job.cancel?.()
    }
    this.#running.clear()
    this.#ready = []
    this.#lanes = new Map()
    this.#last = undefined
  }
}
