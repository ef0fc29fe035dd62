/**
 * The handle of a pipeline that runs in worker threads: it starts and ends threads, and answers for all of them.
 *
 * A failure of one thread's pipeline ends the run: the others commit and leave first. A thread that dies is a failure too,
 * which `onUncaught` may have replaced: the successor takes the number, hence the transactional id and the place in the
 * group, and goes on from what was committed.
 */
import type { Observable } from "rxjs"
import type { GlobalTable, Table } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { mergeMetrics } from "../metrics/merge.ts"
import type { RunMetrics } from "../metrics/report.ts"
import type { Change } from "../query/changes.ts"
import type { StoreLag } from "../query/lags.ts"
import type { EndpointMetadata, KeyMetadata } from "../query/places.ts"
import type { Answer, Query, QueryOptions, QueryResult } from "../query/query.ts"
import { changing, checkClose, type CloseOptions, type WorkersHandle } from "../run/handle.ts"
import type { UncaughtAction } from "../run/options.ts"
import { type RunState, StateHolder } from "../run/state.ts"
import type { Topology } from "../topology/topology.ts"
import type { ThreadChanges } from "./changes.ts"
import type { ThreadQueries } from "./queries.ts"
import { ThreadStoreView } from "./store-view.ts"
import type { ThreadEnd, WorkerThread } from "./thread.ts"

export interface ThreadsHandleOptions {
  readonly applicationId: string
  readonly topology: Topology
  readonly endpoint: string | undefined
  readonly queries: ThreadQueries
  readonly changes: ThreadChanges
  readonly workers: number
  readonly spawn: (worker: number, isPaused: boolean) => WorkerThread
  /** A thread is gone, with all that it held. */
  readonly onGone: (worker: number) => void
  readonly onDied: (cause: Error, count: number) => UncaughtAction | undefined | Promise<UncaughtAction>
  readonly onStateChange: (state: RunState, before: RunState) => void
  readonly log: (message: string) => void
  /** It is the same member after a restart. */
  readonly isPersistent: boolean
  readonly release: () => Promise<void>
}

export class ThreadsHandle implements WorkersHandle {
  readonly applicationId: string
  readonly topology: Topology
  readonly endpoint: string | undefined
  readonly done: Promise<void>
  readonly #options: ThreadsHandleOptions
  readonly #states: StateHolder
  readonly #threads = new Map<number, WorkerThread>()
  readonly #ended: RunMetrics[] = []
  readonly #end = Promise.withResolvers<void>()
  #deaths = 0
  #isEnding = false
  isPaused = false

  constructor(options: ThreadsHandleOptions) {
    this.applicationId = options.applicationId
    this.topology = options.topology
    this.endpoint = options.endpoint
    this.#options = options
    this.#states = new StateHolder(options.onStateChange)
    this.done = this.#end.promise
    // A run that fails while nobody looks at `done` must not end the process by itself: `close` reports it.
    this.done.catch(() => {})
  }

  /** Resolves when all threads are set up; rejects with why one is not. */
  async start(): Promise<void> {
    this.#states.become("rebalancing")
    const starting = Array.from({ length: this.#options.workers }, (_, worker) => this.#spawn(worker).started)
    // The failure that ended the run, rather than what it did to the others.
    await Promise.all(starting).catch(async (failure: unknown) => {
      await this.done
      throw failure
    })
  }

  #spawn(worker: number): WorkerThread {
    const thread = this.#options.spawn(worker, this.isPaused)
    this.#threads.set(worker, thread)
    void thread.ended.then((end) => this.#gone(thread, end))
    return thread
  }

  async #gone(thread: WorkerThread, end: ThreadEnd): Promise<void> {
    const { worker, metrics } = thread
    this.#threads.delete(worker)
    if (metrics !== undefined) this.#ended.push(metrics)
    this.#options.changes.ended(thread)
    this.#options.onGone(worker)
    this.changed()
    if (end.how === "closed" || this.#isEnding) return
    if (end.how === "died" && !thread.isStopping && (await this.#isReplaced(end.cause))) {
      this.#options.log(`${end.cause.message}; another takes its place`)
      this.#spawn(worker)
      return
    }
    await this.#endRun(end.cause)
  }

  async #isReplaced(cause: Error): Promise<boolean> {
    const action = await this.#options.onDied(cause, ++this.#deaths)
    return action === "replace" && !this.#isEnding
  }

  async #endRun(failure?: Error, how: CloseOptions = {}): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#states.become(failure === undefined ? "pending-shutdown" : "pending-error")
    const ends = await Promise.all([...this.#threads.values()].map((thread) => thread.stop(how)))
    const failed = failure ?? ends.flatMap((end) => (end.how === "closed" ? [] : [end.cause]))[0]
    this.#options.changes.complete()
    const released = await this.#options.release().catch((cause: unknown) => cause)
    const cause = failed ?? released
    this.#states.become(cause === undefined ? "not-running" : "error")
    if (cause === undefined) this.#end.resolve()
    else this.#end.reject(cause)
  }

  get threads(): readonly WorkerThread[] {
    return [...this.#threads.values()]
  }

  /** A thread's state changed, or a thread came or went. */
  changed(): void {
    const { threads } = this
    const isRunning = threads.length > 0 && threads.every(({ state, isStopping }) => state === "running" || isStopping)
    if (isRunning) this.#deaths = 0
    this.#states.become(isRunning ? "running" : "rebalancing")
  }

  get workers(): readonly number[] {
    return [...this.#threads.keys()].sort((left, right) => left - right)
  }

  async addWorker(): Promise<number> {
    if (this.#isEnding)
      throw new PipelineError(`application "${this.applicationId}" is closing: no worker can be added`)
    let worker = 0
    while (this.#threads.has(worker)) worker++
    await this.#spawn(worker).started
    return worker
  }

  async removeWorker(worker = this.workers.at(-1)!): Promise<number> {
    const thread = this.#threads.get(worker)
    if (thread === undefined || thread.isStopping) {
      throw new PipelineError(
        `application "${this.applicationId}" has no worker ${worker}: it has ${this.workers.join(", ")}`,
      )
    }
    if (this.threads.filter(({ isStopping }) => !isStopping).length === 1) {
      throw new PipelineError(
        `worker ${worker} is the last of application "${this.applicationId}": close the run instead`,
      )
    }
    const end = await thread.stop()
    if (end.how !== "closed") throw end.cause
    return worker
  }

  state(): RunState {
    return this.#states.state
  }

  untilRunning(): Promise<void> {
    return this.#states.untilRunning(this.applicationId, this.done)
  }

  metrics(): RunMetrics {
    const running = this.threads.flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics]))
    return mergeMetrics(running, this.#ended)
  }

  pause(): void {
    this.#pause(true)
  }

  resume(): void {
    this.#pause(false)
  }

  #pause(isPaused: boolean): void {
    this.isPaused = isPaused
    for (const thread of this.threads) thread.pause(isPaused)
  }

  query<Q extends Query>(
    of: string | Table<any, any, any> | GlobalTable<any, any>,
    query: Q,
    options?: QueryOptions,
  ): Promise<QueryResult<Answer<Q, any, any>>> {
    return this.#options.queries.ask(of, query, options)
  }

  metadataForKey(
    of: string | Table<any, any, any> | GlobalTable<any, any>,
    key: unknown,
    partitioner?: (key: any, partitions: number) => number,
  ): KeyMetadata {
    return this.#options.queries.metadataForKey(of, key, partitioner)
  }

  allMetadata(): readonly EndpointMetadata[] {
    return this.#options.queries.allMetadata()
  }

  lags(): Promise<readonly StoreLag[]> {
    return this.#options.queries.lags()
  }

  store(of: string | Table<any, any, any> | GlobalTable<any, any>): ThreadStoreView<any, any> {
    const { queries } = this.#options
    return new ThreadStoreView(queries.find(of), queries)
  }

  changes(of: string | Table<any, any, any>): Observable<Change<any, any>> {
    return this.#options.changes.of(changing(this.#options.queries.find(of)))
  }

  async close(options: CloseOptions = {}): Promise<void> {
    checkClose(this.applicationId, options, this.#options.isPersistent)
    void this.#endRun(undefined, options)
    await this.done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
