/**
 * mapEffect: an effect per record, inside the transaction.
 *
 * Up to `concurrency` effects of a task run at once, with `serialBy: "key"` at most one per key; results apply in the
 * order of the input, whatever finishes first. Nothing crosses a transaction: a commit waits for the effects under way, an
 * abort interrupts them, and their records are processed again. So an effect may run more than once; its
 * `idempotencyKey` is the same each time.
 *
 * State: none. Time and key: the input's; the value's serde is not known any more. Tombstones pass.
 * A failure that is left when there are no more retries goes to `onFailure`: fail the pipeline (the default), skip the
 * record and count it, or write it to a dead-letter topic in the same transaction. Timeouts and defects always fail.
 *
 * An async function in the place of the effect: map-async.ts. Effect itself is the runner's matter (run/effects.ts): this file uses its types alone.
 */
import type { Effect, Schedule } from "effect"
import { type Duration, durationMs } from "./dsl/duration.ts"
import { NO_OFFSET, type Rec, StreamRecord, TOMBSTONE } from "./dsl/record.ts"
import { type Stream, streamNode, streamOf } from "./dsl/stream.ts"
import type { FailureAction } from "./dsl/failure.ts"
import type { Topic } from "./dsl/topic.ts"
import { PipelineError } from "./errors.ts"
import { DeadLetters } from "./operators/dead-letters.ts"
import { type Operator, Processor } from "./operators/operator.ts"
import { byteString } from "./state/byte-order.ts"
import type { TaskContext } from "./task/context.ts"
import type { JobResult } from "./task/effects.ts"
import type { Slot } from "./task/gate.ts"
import { makeNode } from "./topology/node.ts"
import type { PhysicalNode } from "./topology/topology.ts"

/** Dead letters hold the record that the effect was given, so that their topic is a definition with serdes. */
type EffectFailureAction = Exclude<FailureAction, object> | { readonly deadLetter: Topic<any, any> }

export interface MapEffectOptions<K, V, E> {
  /** For messages and idempotency keys; without it they change when operators are added. */
  readonly name?: string
  readonly concurrency: number
  /** Retries included. Must be below half the transaction timeout. */
  readonly timeout: Duration
  readonly serialBy?: "none" | "key"
  /** As `Effect.retry` takes it: a schedule, or which failures are worth another attempt, and how many. */
  readonly retry?: Schedule.Schedule<unknown, E> | RetryOptions<E>
  readonly onFailure?: (error: E, record: Rec<K, V>) => EffectFailureAction
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
  const { name, concurrency, serialBy = "none", retry, onFailure } = options
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new PipelineError(`${what}: a concurrency of ${concurrency} must be a whole number from 1 on`)
  }
  const timeoutMs = durationMs(`${what} timeout`, options.timeout)
  if (timeoutMs === 0) throw new PipelineError(`${what}: the timeout must be more than 0`)
  if (retry !== undefined && isEndless(retry))
    throw new PipelineError(`${what}: retry needs times or a schedule: it would try without a pause until the timeout`)
  const functions = {
    f,
    retry: () => retry,
    ...(onFailure === undefined ? {} : { onFailure }),
  }
  return (s) => {
    const inputs = [streamNode(what, s)]
    const written = { concurrency, timeoutMs, serialBy }
    return streamOf(
      makeNode({ operator: mapEffectOperator, name, inputs, options: written, functions, value: undefined }),
    )
  }
}

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
  readonly slot: Slot
  /** Jobs of one lane run one after another; undefined when any may run beside any. */
  readonly lane: unknown
  cancel: (() => void) | undefined
  isOver: boolean
}

class MapEffect extends Processor {
  readonly #f = this.node.logical.functions["f"]!
  readonly #onFailure = this.node.logical.functions["onFailure"] as
    | ((error: unknown, record: StreamRecord) => EffectFailureAction)
    | undefined
  readonly #retry = this.node.logical.functions["retry"]!() as EffectJob["retry"]
  readonly #concurrency = this.node.logical.options["concurrency"] as number
  readonly #timeoutMs = this.node.logical.options["timeoutMs"] as number
  readonly #isSerial = this.node.logical.options["serialBy"] === "key"
  readonly #deadLetters: DeadLetters
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
    context.atAbort(() => this.#cancelAll())
  }

  receive(record: StreamRecord): void {
    const slot = this.context.suspend(this)
    if (record.value === TOMBSTONE) {
      slot.results.push(record)
      return slot.release()
    }
    const lane = this.#isSerial ? this.#laneOf(record.key) : undefined
    const job: Job = { record: this.#identified(record), slot, lane, cancel: undefined, isOver: false }
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

  #failedJob({ record, slot }: Job, { error, expected }: Extract<JobResult, { ok: false }>): void {
    const action = expected && this.#onFailure !== undefined ? this.#onFailure(error, record) : "fail"
    if (action === "fail") throw this.failed(record, error)
    if (action === "skip") this.context.drop("skipped", record)
    else slot.onLeave = () => this.#deadLetters.write(action.deadLetter, record, error)
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
