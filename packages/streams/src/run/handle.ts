/**
 * The handle of a running pipeline: what `run` answers.
 */
import type { Table } from "../dsl/stream.ts"
import type { EndpointMetadata, KeyMetadata, Queries } from "../query/queries.ts"
import type { Answer, Query, QueryOptions, QueryResult } from "../query/query.ts"
import { StoreView } from "../query/store-view.ts"
import { newTaskMetrics, type TaskMetrics } from "../task/metrics.ts"
import type { Topology } from "../topology/topology.ts"
import type { TaskSet } from "./task-set.ts"
import type { Worker } from "./worker.ts"

export type RunState = "running" | "rebalancing" | "closing" | "closed" | "failed"

export interface RunMetrics extends TaskMetrics {
  readonly tasks: number
  readonly restoringTasks: number
  readonly transactions: { readonly committed: number; readonly aborted: number }
}

export interface RunHandle extends AsyncDisposable {
  readonly applicationId: string
  readonly topology: Topology
  /** HOST:PORT where queries are answered over HTTP, when they are. */
  readonly endpoint: string | undefined
  state(): RunState
  metrics(): RunMetrics
  /** A store of this process, by its table or its name. Read-only, and committed rows only. */
  store<K, V>(table: Table<K, V, any>): StoreView<K, V>
  store<K = unknown, V = unknown>(name: string): StoreView<K, V>
  /** Asks the partitions of a store that are here; each answers for itself. */
  query<K, V, Q extends Query<K>>(
    table: Table<K, V, any>,
    query: Q,
    options?: QueryOptions,
  ): QueryResult<Answer<Q, K, V>>
  query<Q extends Query>(name: string, query: Q, options?: QueryOptions): QueryResult<Answer<Q, any, any>>
  /** Which partition a key is in, and which process answers queries for it. */
  metadataForKey(
    store: string | Table<any, any, any>,
    key: unknown,
    partitioner?: (key: any, partitions: number) => number,
  ): KeyMetadata
  /** All processes that answer queries, with the partitions that they have. */
  allMetadata(): readonly EndpointMetadata[]
  /** Resolves when the run was closed, rejects with what ended it. */
  readonly done: Promise<void>
  /** Commits, writes state to disk, leaves. */
  close(): Promise<void>
}

export interface HandleOptions {
  readonly applicationId: string
  readonly topology: Topology
  readonly worker: Worker
  readonly tasks: TaskSet
  readonly queries: Queries
  readonly endpoint: string | undefined
  /** Leaves the group and gives everything back. */
  readonly release: () => Promise<void>
}

export class Handle implements RunHandle {
  readonly applicationId: string
  readonly topology: Topology
  readonly endpoint: string | undefined
  readonly done: Promise<void>
  readonly #worker: Worker
  readonly #tasks: TaskSet
  readonly #queries: Queries
  #state: RunState = "running"

  constructor(options: HandleOptions) {
    this.applicationId = options.applicationId
    this.topology = options.topology
    this.endpoint = options.endpoint
    this.#worker = options.worker
    this.#tasks = options.tasks
    this.#queries = options.queries
    this.done = this.#drive(options.release)
    // A run that fails while nobody looks at `done` must not end the process by itself: `close` reports it.
    this.done.catch(() => {})
  }

  async #drive(release: () => Promise<void>): Promise<void> {
    try {
      await this.#worker.run()
    } catch (failure) {
      this.#state = "failed"
      await release().catch(() => {})
      throw failure
    }
    await release()
    this.#state = "closed"
  }

  state(): RunState {
    if (this.#state !== "running") return this.#state
    return this.#worker.openingTasks > 0 || this.#worker.openTasks === 0 ? "rebalancing" : "running"
  }

  metrics(): RunMetrics {
    const sum = newTaskMetrics()
    for (const { metrics } of this.#tasks.tasks) {
      sum.processed += metrics.processed
      sum.emitted += metrics.emitted
      sum.changelogged += metrics.changelogged
      for (const reason of Object.keys(sum.dropped) as Array<keyof typeof sum.dropped>) {
        sum.dropped[reason] += metrics.dropped[reason]
      }
    }
    const { transactions } = this.#tasks
    return {
      ...sum,
      tasks: this.#tasks.size,
      restoringTasks: this.#worker.openingTasks,
      transactions: { ...transactions },
    }
  }

  store(of: string | Table<any, any, any>): StoreView<any, any> {
    return new StoreView(this.#queries.find(of), this.#queries)
  }

  query<Q extends Query>(
    of: string | Table<any, any, any>,
    query: Q,
    options?: QueryOptions,
  ): QueryResult<Answer<Q, any, any>> {
    return this.#queries.query(of, query, options)
  }

  metadataForKey(
    of: string | Table<any, any, any>,
    key: unknown,
    partitioner?: (key: any, partitions: number) => number,
  ): KeyMetadata {
    return this.#queries.metadataForKey(of, key, partitioner)
  }

  allMetadata(): readonly EndpointMetadata[] {
    return this.#queries.allMetadata()
  }

  async close(): Promise<void> {
    if (this.#state === "running") this.#state = "closing"
    this.#worker.stop()
    await this.done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
