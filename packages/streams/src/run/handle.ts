/**
 * The handle of a running pipeline: what `run` answers.
 */
import type { Clock } from "@millrace/host"
import type { Observable } from "rxjs"
import type { GlobalTable, Table } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { Rate } from "@millrace/metrics"
import { type RestoreReport, reportTask, type RunMetrics } from "../metrics/report.ts"
import { type Change, type ChangeTurns, TableChanges } from "../query/changes.ts"
import type { EndpointMetadata, KeyMetadata } from "../query/places.ts"
import { type LagsOptions, type StoreLag, storeLags } from "../query/lags.ts"
import type { Queries } from "../query/queries.ts"
import type { Answer, Query, QueryOptions, QueryResult } from "../query/query.ts"
import { StoreView } from "../query/store-view.ts"
import type { StoreInfo } from "../query/stores.ts"
import type { ThreadStoreView } from "../threads/store-view.ts"
import type { Topology } from "../topology/topology.ts"
import { type RunState, StateHolder } from "./state.ts"
import type { TaskSet } from "./task-set.ts"
import type { Worker } from "./worker.ts"

type StoreOf<K, V> = Table<K, V, any> | GlobalTable<K, V>

/** How a run ends (KIP-1153). */
export interface CloseOptions {
  /**
   * Default true: the others take its tasks at once. Otherwise these wait for it, as long as a session: it is to be started
   * again, under its state directory, which makes it the member that it was. In either group protocol.
   */
  readonly leaveGroup?: boolean
}

/** A running pipeline, in this thread or in worker threads. */
export interface Running extends AsyncDisposable {
  readonly applicationId: string
  readonly topology: Topology
  /** HOST:PORT where queries are answered over HTTP, when they are. */
  readonly endpoint: string | undefined
  /** What the run does now; `running`: its tasks are here, and their stores as of the last commit. */
  state(): RunState
  /**
   * Resolves when it is running, at once where it is; rejects with what ended the run before, also when it was closed. What
   * was written to its input meanwhile need not be processed then, and tasks may move to other processes later.
   */
  untilRunning(): Promise<void>
  /** Counts since the start, of tasks that have left too. */
  metrics(): RunMetrics
  /** Takes no more records in, and stays in the group, until `resume` (KIP-834). What was taken in is committed. */
  pause(): void
  resume(): void
  readonly isPaused: boolean
  /** Which partition a key is in, and which process answers queries for it. */
  metadataForKey(
    store: string | StoreOf<any, any>,
    key: unknown,
    partitioner?: (key: any, partitions: number) => number,
  ): KeyMetadata
  /** All processes that answer queries, with the partitions that they have. */
  allMetadata(): readonly EndpointMetadata[]
  /** How far the stores that are here are behind their changelogs, copies too. Asks the cluster where these end. */
  lags(): Promise<readonly StoreLag[]>
  /** Resolves when the run was closed, rejects with what ended it. */
  readonly done: Promise<void>
  /** Commits, writes state to disk, leaves. */
  close(options?: CloseOptions): Promise<void>
}

/** In this thread: stores are at hand. */
export interface RunHandle extends Running {
  /** A store of this process, by its table or its name. Read-only, and committed rows only. */
  store<K, V>(table: StoreOf<K, V>): StoreView<K, V>
  store<K = unknown, V = unknown>(name: string): StoreView<K, V>
  /** Asks the partitions of a store that are here; each answers for itself. */
  query<K, V, Q extends Query<K>>(table: StoreOf<K, V>, query: Q, options?: QueryOptions): QueryResult<Answer<Q, K, V>>
  query<Q extends Query>(name: string, query: Q, options?: QueryOptions): QueryResult<Answer<Q, any, any>>
  /** A table of this process in motion: its rows now, then each change as transactions commit it. */
  changes<K, V>(table: Table<K, V, any>): Observable<Change<K, V>>
  changes<K = unknown, V = unknown>(name: string): Observable<Change<K, V>>
}

/** In worker threads: stores are the threads', and are asked. */
export interface WorkersHandle extends Running {
  /** Numbers of the workers that run, which their transactional ids end with. */
  readonly workers: readonly number[]
  /** Starts one more (`addStreamThread`); answers its number. The group gives it tasks of the others. */
  addWorker(): Promise<number>
  /** Ends one in order (`removeStreamThread`), the last by default; the others take its tasks with their state. */
  removeWorker(worker?: number): Promise<number>
  /** A store of this process, by its table or its name: what it answers is awaited. Committed rows only. */
  store<K, V>(table: StoreOf<K, V>): ThreadStoreView<K, V>
  store<K = unknown, V = unknown>(name: string): ThreadStoreView<K, V>
  /** A table of this process in motion: its rows now, then each change as the threads' transactions commit it. */
  changes<K, V>(table: Table<K, V, any>): Observable<Change<K, V>>
  changes<K = unknown, V = unknown>(name: string): Observable<Change<K, V>>
  /** Asks the partitions of a store that any of the threads has. */
  query<K, V, Q extends Query<K>>(
    table: StoreOf<K, V>,
    query: Q,
    options?: QueryOptions,
  ): Promise<QueryResult<Answer<Q, K, V>>>
  query<Q extends Query>(name: string, query: Q, options?: QueryOptions): Promise<QueryResult<Answer<Q, any, any>>>
}

/** Nobody would come back as a member that is another process at its next start. */
export function checkClose(applicationId: string, { leaveGroup = true }: CloseOptions, isPersistent: boolean): void {
  if (leaveGroup || isPersistent) return
  throw new PipelineError(
    `application "${applicationId}" cannot be closed with leaveGroup false: it has no stateDir, so that it would come back ` +
      "as another member, and its tasks would wait for nobody; give it one, or leave",
  )
}

/** A store whose changes transactions commit. */
export function changing(info: StoreInfo): StoreInfo {
  if (info.subtopology !== undefined) return info
  throw new PipelineError(`store "${info.name}" is a global table, which changes without transactions: query it`)
}

export interface HandleOptions {
  readonly applicationId: string
  readonly topology: Topology
  readonly worker: Worker
  readonly tasks: TaskSet
  readonly queries: Queries
  readonly copies: () => Pick<RunMetrics, "restoredRecords" | "standbyTasks" | "warmupTasks">
  /** Records that global tables and stores passed over. */
  readonly skippedOutsideTasks: () => number
  readonly endpoint: string | undefined
  readonly clock: Clock
  readonly restoring: () => readonly RestoreReport[]
  readonly followed: LagsOptions["followed"]
  readonly readableEnds: LagsOptions["readableEnds"]
  readonly onStateChange: (state: RunState, before: RunState) => void
  /** It is the same member after a restart. */
  readonly isPersistent: boolean
  /** Leaves the group, unless it remains, and gives everything back. */
  readonly release: (options: CloseOptions) => Promise<void>
}

export class Handle implements RunHandle {
  readonly applicationId: string
  readonly topology: Topology
  readonly endpoint: string | undefined
  readonly done: Promise<void>
  readonly #worker: Worker
  readonly #tasks: TaskSet
  readonly queries: Queries
  readonly #changes: TableChanges
  readonly #states: StateHolder
  readonly #rate: Rate
  readonly #clock: Clock
  readonly #restoring: () => readonly RestoreReport[]
  readonly #copies: HandleOptions["copies"]
  readonly #skippedOutsideTasks: () => number
  readonly #isPersistent: boolean
  readonly #lags: Pick<LagsOptions, "followed" | "readableEnds">
  #closing: CloseOptions | undefined

  constructor(options: HandleOptions) {
    this.applicationId = options.applicationId
    this.topology = options.topology
    this.endpoint = options.endpoint
    this.#worker = options.worker
    this.#tasks = options.tasks
    this.queries = options.queries
    this.#changes = new TableChanges(options.queries)
    this.#clock = options.clock
    this.#rate = new Rate(this.#clock.monotonic())
    this.#restoring = options.restoring
    this.#states = new StateHolder(options.onStateChange)
    this.#copies = options.copies
    this.#skippedOutsideTasks = options.skippedOutsideTasks
    this.#isPersistent = options.isPersistent
    this.#lags = { followed: options.followed, readableEnds: options.readableEnds }
    this.done = this.#drive(options.release)
    // A run that fails while nobody looks at `done` must not end the process by itself: `close` reports it.
    this.done.catch(() => {})
  }

  async #drive(release: HandleOptions["release"]): Promise<void> {
    this.#states.become("rebalancing")
    try {
      await this.#worker.run()
    } catch (failure) {
      this.#changes.complete()
      this.#states.become("pending-error")
      await release({}).catch(() => {})
      this.#states.become("error")
      throw failure
    }
    this.#changes.complete()
    try {
      await release(this.#closing ?? {})
    } catch (failure) {
      this.#states.become("error")
      throw failure
    }
    this.#states.become("not-running")
  }

  state(): RunState {
    return this.#states.state
  }

  untilRunning(): Promise<void> {
    return this.#states.untilRunning(this.applicationId, this.done)
  }

  /** Tasks came, went or became ready. */
  changed(): void {
    this.#states.become(this.#worker.isReady ? "running" : "rebalancing")
    this.#changes.committed()
  }

  /** Whoever listens to changes is told what there is. */
  told(): void {
    this.#changes.committed()
  }

  /** After a commit. */
  committed(): void {
    this.#changes.committed()
    this.#rate.sample(this.#clock.monotonic(), this.#tasks.totalMetrics().processed)
  }

  metrics(): RunMetrics {
    const total = this.#tasks.totalMetrics()
    return {
      ...total,
      dropped: { ...total.dropped, skipped: total.dropped.skipped + this.#skippedOutsideTasks() },
      tasks: this.#tasks.size,
      restoringTasks: this.#worker.opening.length,
      transactions: { ...this.#tasks.transactions },
      ...this.#copies(),
      processRate: this.#rate.perSecond(this.#clock.monotonic(), total.processed),
      commitLatency: this.#worker.commitLatency.snapshot(),
      workers: 1,
      perTask: [...this.#tasks.tasks].map(reportTask),
      restoring: this.#restoring(),
    }
  }

  pause(): void {
    this.#worker.pause()
  }

  resume(): void {
    this.#worker.resume()
  }

  get isPaused(): boolean {
    return this.#worker.isPaused
  }

  store(of: string | Table<any, any, any> | GlobalTable<any, any>): StoreView<any, any> {
    return new StoreView(this.queries.find(of), this.queries)
  }

  query<Q extends Query>(
    of: string | Table<any, any, any> | GlobalTable<any, any>,
    query: Q,
    options?: QueryOptions,
  ): QueryResult<Answer<Q, any, any>> {
    return this.queries.query(of, query, options)
  }

  metadataForKey(
    of: string | Table<any, any, any> | GlobalTable<any, any>,
    key: unknown,
    partitioner?: (key: any, partitions: number) => number,
  ): KeyMetadata {
    return this.queries.metadataForKey(of, key, partitioner)
  }

  allMetadata(): readonly EndpointMetadata[] {
    return this.queries.allMetadata()
  }

  lags(): Promise<readonly StoreLag[]> {
    const { stores } = this.queries
    const running = () => this.#tasks.tasks
    return storeLags({ ...this.#lags, stores, running, restoring: this.#restoring })
  }

  changes(of: string | Table<any, any, any>, turns?: ChangeTurns): Observable<Change<any, any>> {
    return this.#changes.of(changing(this.queries.find(of)), turns)
  }

  async close(options: CloseOptions = {}): Promise<void> {
    checkClose(this.applicationId, options, this.#isPersistent)
    this.#closing ??= options
    this.#states.become("pending-shutdown")
    this.#worker.stop()
    await this.done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
