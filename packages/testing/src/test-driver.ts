/**
 * Runs a pipeline's real topology, tasks, stores and commit against a cluster in memory, under the test's control.
 *
 * Time is virtual, topics have as many partitions as the test says, and a transaction ends when the test ends it: `run`
 * processes and commits until nothing is left, `process`, `commit` and `abort` go step by step, and `failAt` kills or
 * fails the worker at a step of the next commit. Whatever is done to it, the committed outputs must not change.
 */
import { VirtualClock } from "@millrace/host/virtual-clock"
import { nodeClock } from "@millrace/host/node"
import type { Pipeline, RunOptions, Table, Topic } from "@millrace/streams"
import type { Answer, Query, QueryOptions, QueryResult } from "@millrace/streams/query/query"
import type { Headers } from "@millrace/streams/dsl/record"
import { reportTask, type TaskReport } from "@millrace/streams/metrics/report"
import { Queries } from "@millrace/streams/query/queries"
import { StoreDirectory } from "@millrace/streams/query/stores"
import { checkTimeouts } from "@millrace/streams/run/check-effects"
import { effectPort } from "@millrace/streams/run/effects"
import { writtenTopics } from "@millrace/streams/run/internal-topics"
import { TRANSACTION_TIMEOUT_MS } from "@millrace/streams/run/options"
import { allTasks, makeTask } from "@millrace/streams/run/task-factory"
import { type CommitOutcome, TaskSet } from "@millrace/streams/run/task-set"
import { partitionName, type TopicPartition } from "@millrace/streams/run/ports"
import type { FlushLimits } from "@millrace/streams/state/committed"
import type { EffectPort } from "@millrace/streams/task/effects"
import { KeyValueStore } from "@millrace/streams/state/key-value-store"
import { SubscriptionStore } from "@millrace/streams/state/subscription-store"
import { TimerStore } from "@millrace/streams/state/timer-store"
import { VersionedStore } from "@millrace/streams/state/versioned-store"
import { WindowStore } from "@millrace/streams/state/window-store"
import { addTaskMetrics, newTaskMetrics, type TaskMetrics } from "@millrace/streams/task/metrics"
import type { TaskLimits } from "@millrace/streams/task/limits"
import { type PartitionCounts, resolvePartitions, taskCount } from "@millrace/streams/topology/partitions"
import { makeTopology, type Topology } from "@millrace/streams/topology/topology"
import { partitionForKey } from "@millrace/client/producer/murmur2"
import { type DeadLetter, deadLetterOf } from "./dead-letter.ts"
import { DriverGlobalStore } from "./driver-global-store.ts"
import { DriverGlobalTable } from "./driver-global-table.ts"
import { ForgetfulEngines } from "./forgetful-engine.ts"
import { type CommitStep, type FaultKind, InjectedCrash, MemoryCluster, MemoryOutput } from "./memory-cluster.ts"
import { parseMarbles } from "./marbles.ts"
import { EntryCursor } from "./memory-log.ts"

export interface TestDriverOptions {
  readonly applicationId?: string
  /**
   * Partitions of every topic, or of each by name; 1 where nothing is said. Topics that are named exist: patterns match
   * them, and dead letters and records whose topic is chosen one by one go there.
   */
  readonly partitions?: number | { readonly [topic: string]: number }
  readonly startTimeMs?: number
  /**
   * Runs the pipeline's effects; the default gives them the services below and the driver's time. "real-time" is for those that call
   * something outside: virtual time would run ahead of its answers, and out of their timeouts.
   */
  readonly effects?: EffectPort | "real-time"
  /** What the pipeline's effects need. */
  readonly services?: NonNullable<RunOptions["services"]>
  readonly flushLimits?: FlushLimits
  readonly taskLimits?: Partial<TaskLimits>
  /** As the option of `run`: of topics that do not say themselves after what time without records they are idle. */
  readonly idleAfterMs?: number
  /** As the option of `run`: of more than half of it no call may have need. */
  readonly transactionTimeoutMs?: number
  /** As the option of `run`: records wait for `advance` then, while a partition of their task has none. */
  readonly maxTaskIdleMs?: number
}

export interface SentRecord<K, V> {
  readonly key: K
  readonly value: V | null
  readonly timestamp?: number
  readonly partition?: number
  readonly headers?: Headers
}

export interface OutputRecord<K, V> {
  readonly key: K
  readonly value: V | null
  readonly timestamp: number
  readonly partition: number
  readonly offset: number
  readonly headers: Headers
}

export interface StoredRow {
  readonly key: any
  readonly value: any
  readonly timestamp: number
  /** Of a store that keeps them. */
  readonly headers?: Headers
  /** Of a versioned store: when the next version begins; the latest has none. */
  readonly validTo?: number
  /** Of a window store: where the window starts. */
  readonly start?: number
}

export interface DriverMetrics extends Readonly<TaskMetrics> {
  readonly transactions: { readonly committed: number; readonly aborted: number }
  readonly perTask: readonly TaskReport[]
}

/** Turns of the microtask queue before a commit is taken to wait for time, or for the outside. */
const IDLE_TURNS = 64

const KINDS = [KeyValueStore, WindowStore, TimerStore, SubscriptionStore, VersionedStore] as const

/** Operators that read topics of the user's. */
const READ: ReadonlySet<string> = new Set(["source", "global-table", "global-store"])

export class TestDriver {
  readonly topology: Topology
  readonly cluster = new MemoryCluster()
  readonly clock: VirtualClock
  readonly #options: TestDriverOptions
  readonly #partitions: PartitionCounts
  readonly #positions = new Map<string, number>()
  #engines = new ForgetfulEngines()
  #output = new MemoryOutput(this.cluster)
  #tasks: TaskSet
  #globals: ReadonlyArray<DriverGlobalStore | DriverGlobalTable> = []
  #starts = 0

  private constructor(pipeline: Pipeline<any>, options: TestDriverOptions) {
    this.#options = options
    this.clock = new VirtualClock(options.startTimeMs ?? 0)
    const topics = typeof options.partitions === "object" ? Object.keys(options.partitions) : []
    const plan = pipeline.plan.expand?.(topics) ?? pipeline.plan
    this.topology = makeTopology(plan, options.applicationId ?? pipeline.name)
    checkTimeouts(this.topology, options.transactionTimeoutMs ?? TRANSACTION_TIMEOUT_MS)
    this.#partitions = this.#createTopics()
    this.#tasks = this.#newTaskSet()
  }

  static async start(pipeline: Pipeline<any>, options: TestDriverOptions = {}): Promise<TestDriver> {
    const driver = new TestDriver(pipeline, options)
    await driver.#start()
    return driver
  }

  #createTopics(): PartitionCounts {
    const { partitions = 1 } = this.#options
    const wanted = (topic: string) => (typeof partitions === "number" ? partitions : (partitions[topic] ?? 1))
    const external = new Map<string, number>()
    for (const { kind, topic } of this.topology.nodes)
      if (topic !== undefined && READ.has(kind)) external.set(topic, wanted(topic))
    for (const topic of writtenTopics(this.topology)) external.set(topic, wanted(topic))
    const counts = resolvePartitions(this.topology, external)
    for (const [topic, count] of counts) this.cluster.createTopic(topic, count)
    for (const { id, stores } of this.topology.subtopologies) {
      for (const { changelog } of stores) this.cluster.createTopic(changelog, taskCount(this.topology, id, counts)!)
    }
    for (const topic of Object.keys(typeof partitions === "number" ? {} : partitions))
      this.cluster.createTopic(topic, wanted(topic))
    return counts
  }

  #newTaskSet(): TaskSet {
    return new TaskSet({
      output: this.#output,
      cluster: this.cluster,
      transactionPrefix: `start-${++this.#starts}`,
      now: () => this.clock.now(),
      onRewind: (positions) => {
        for (const position of positions) this.#positions.set(partitionName(position), position.offset)
      },
    })
  }

  async #start(): Promise<void> {
    const { effects: given = effectPort(this.clock, this.#options.services) } = this.#options
    const effects = given === "real-time" ? effectPort(nodeClock, this.#options.services) : given
    const { globals } = this.topology
    const globalTables = new Map(
      globals.map((spec) => [
        spec.name,
        spec.node.kind === "global-store"
          ? new DriverGlobalStore(this.topology, spec, this.cluster)
          : new DriverGlobalTable(this.topology, spec, this.cluster),
      ]),
    )
    this.#globals = [...globalTables.values()]
    for (const id of allTasks(this.topology, this.#partitions)) {
      const task = await makeTask(id, {
        topology: this.topology,
        partitions: this.#partitions,
        cluster: this.cluster,
        output: this.#output,
        engines: this.#engines,
        effects,
        globalTables,
        restore: { deleteRetentionMs: Number.POSITIVE_INFINITY, now: () => this.clock.now() },
        ...(this.#options.flushLimits && { flushLimits: this.#options.flushLimits }),
        ...(this.#options.taskLimits && { taskLimits: this.#options.taskLimits }),
        ...(this.#options.idleAfterMs !== undefined && { idleAfterMs: this.#options.idleAfterMs }),
        ...(this.#options.maxTaskIdleMs !== undefined && { maxTaskIdleMs: this.#options.maxTaskIdleMs }),
      })
      this.#tasks.add(task)
      for (const queue of task.group.queues) this.#positions.set(partitionName(queue), queue.position)
    }
  }

  /** Puts records into a topic, by key unless a partition is named. */
  send<K, V>(topic: Topic<K, V>, ...records: ReadonlyArray<SentRecord<K, V>>): void {
    const count = this.cluster.logs(topic.name).length
    for (const { key, value, timestamp = this.clock.now(), partition, headers = [] } of records) {
      const keyBytes = key === null ? null : topic.key.encode(key)
      const chosen = partition ?? (keyBytes === null ? 0 : partitionForKey(keyBytes, count))
      const log = this.cluster.log({ topic: topic.name, partition: chosen })
      log.append(timestamp, keyBytes, value === null ? null : topic.value.encode(value), headers)
    }
  }

  /**
   * Sends what marbles say (marbles.ts): each name is looked up in `values`, a frame is `frameMs` of event time from
   * `startMs` on, and `|` processes and commits what was sent so far. The rest is left to `run`.
   */
  async play<K, V>(
    topic: Topic<K, V>,
    marbles: string,
    values: { readonly [name: string]: Omit<SentRecord<K, V>, "timestamp"> },
    { startMs = 0, frameMs = 1 }: { readonly startMs?: number; readonly frameMs?: number } = {},
  ): Promise<void> {
    for (const step of parseMarbles(marbles)) {
      if (step.kind === "commit") await this.run()
      else {
        const value = values[step.name]
        if (value === undefined) throw new Error(`marbles "${marbles}": no value is named ${step.name}`)
        this.send(topic, { ...value, timestamp: startMs + step.frame * frameMs })
      }
    }
  }

  /** Committed records of a topic, partition after partition. */
  read<K, V>(topic: Topic<K, V>): Array<OutputRecord<K, V>> {
    return this.cluster.logs(topic.name).flatMap((log, partition) =>
      log.committed(0).map(({ key, value, timestamp, offset, headers }) => ({
        key: (key === null ? null : topic.key.decode(key)) as K,
        value: value === null ? null : topic.value.decode(value),
        timestamp,
        partition,
        offset,
        headers,
      })),
    )
  }

  /** Committed rows of a store, over all partitions. */
  rows(store: string): StoredRow[] {
    const found: StoredRow[] = []
    for (const task of this.#tasks.tasks) {
      const one = task.stores.get(store)
      if (KINDS.some((kind) => one instanceof kind))
        found.push(...(one as InstanceType<(typeof KINDS)[number]>).entries())
    }
    return found
  }

  /** Stores of the pipeline that have rows to read, in the order of its tasks. */
  get stores(): string[] {
    return this.topology.subtopologies.flatMap(({ stores }) => stores.map(({ name }) => name))
  }

  /** Topics that the pipeline's sinks write to, where they are known by name. */
  get outputTopics(): string[] {
    const sinks = this.topology.nodes.filter(({ kind, topic }) => kind === "to" && topic !== undefined)
    return [...new Set(sinks.map(({ topic }) => topic!))]
  }

  /** Committed dead letters of a topic, by its definition or name, with the bytes of what failed, where it failed, and why. */
  deadLetters(topic: string | Topic<any, any>): DeadLetter[] {
    return this.cluster
      .logs(typeof topic === "string" ? topic : topic.name)
      .flatMap((log) => log.committed(0).map(deadLetterOf))
  }

  /** An interactive query of the store of a table, or of any by its name, over all partitions. */
  query<K, V, Q extends Query<K>>(of: Table<K, V, any>, query: Q, options?: QueryOptions): QueryResult<Answer<Q, K, V>>
  query<Q extends Query>(of: string, query: Q, options?: QueryOptions): QueryResult<Answer<Q, any, any>>
  query(of: string | Table<any, any, any>, query: Query, options: QueryOptions = {}): QueryResult<any> {
    const queries = new Queries({
      places: {
        topology: this.topology,
        stores: new StoreDirectory(this.topology, (serde) => serde),
        partitions: this.#partitions,
        endpoints: () => ({}),
        state: () => "running",
      },
      globalTables: new Map(),
      tasks: this.#tasks,
      opening: () => [],
    })
    return queries.query(of, query, options)
  }

  /** Figures of the worker that runs now: a crash begins them anew. */
  get metrics(): DriverMetrics {
    const sum = newTaskMetrics()
    const tasks = [...this.#tasks.tasks]
    for (const task of tasks) addTaskMetrics(sum, task.metrics)
    for (const { skipped } of this.#globals) sum.dropped.skipped += skipped
    return { ...sum, transactions: this.#tasks.transactions, perTask: tasks.map(reportTask) }
  }

  /** Counters of all tasks, global tables and stores, added up. */
  get dropped(): Readonly<Record<"late" | "null-key" | "tombstone" | "skipped", number>> {
    return this.metrics.dropped
  }

  /** A running worker would commit now, whatever the commit interval. */
  get isHeavy(): boolean {
    return this.#tasks.isHeavy
  }

  get transactions(): { readonly committed: number; readonly aborted: number } {
    return this.#tasks.transactions
  }

  /** Processes at most so many records of each task, without committing; answers how many were processed. */
  process(recordsMax = Number.POSITIVE_INFINITY): number {
    this.#fetch()
    return this.#tasks.process(recordsMax)
  }

  /** Commits what was processed. A fault injected before strikes here; after a crash a new worker has taken over. */
  commit(): Promise<CommitOutcome | "crashed" | "moved"> {
    return this.#end(() => this.#tasks.commit())
  }

  async #end(commit: () => Promise<CommitOutcome>): Promise<CommitOutcome | "crashed" | "moved"> {
    try {
      return await this.#inTime(commit())
    } catch (failure) {
      if (failure instanceof InjectedCrash) {
        const isMove = failure.kind === "move"
        await this.crash({ loseEngines: isMove })
        return isMove ? "moved" : "crashed"
      }
      if ((failure as Error)?.name !== "TransactionAbortable") {
        await this.#tasks.abort()
        throw failure
      }
      await this.#tasks.abort()
      return "aborted"
    }
  }

  async abort(): Promise<void> {
    await this.#tasks.abort()
  }

  /** Processes and commits until nothing is left to do. */
  async run(): Promise<void> {
    do {
      this.process()
    } while ((await this.commit()) !== "nothing" || this.process() > 0)
  }

  /** Lets wall-clock time pass, then processes and commits until nothing is left to do: punctuations that are due run. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.run()
  }

  /**
   * At the next commit: `crash` kills the worker at a step, `fail` makes that step fail or its outcome unknown, `move` gives
   * its tasks to another worker there, which restores them.
   */
  failAt(step: CommitStep, kind: FaultKind = "crash"): void {
    this.#output.inject(step, kind)
  }

  /** Kills the worker, whose engines may lose their last writes, and starts another over what is left. */
  async crash(options: { readonly lostEngineWrites?: number; readonly loseEngines?: boolean } = {}): Promise<void> {
    const left = this.#output.die()
    if (options.loseEngines === true) this.#engines = new ForgetfulEngines()
    else await this.#engines.forget(options.lostEngineWrites ?? 0)
    this.#output = new MemoryOutput(this.cluster)
    this.#output.inherit(left)
    await this.#output.recover()
    this.#tasks = this.#newTaskSet()
    await this.#start()
  }

  /** Ends the worker in an orderly way and starts another that takes its tasks over, with or without its engines. */
  async move(options: { readonly loseEngines?: boolean } = {}): Promise<void> {
    await this.#end(() => this.#tasks.finish())
    await this.crash(options)
  }

  #fetch(): void {
    for (const one of this.#globals) if (one instanceof DriverGlobalStore) one.catchUp()
    for (const task of this.#tasks.tasks) {
      for (const queue of task.group.queues) {
        const name = partitionName(queue)
        const log = this.cluster.log(queue as TopicPartition)
        const from = this.#positions.get(name)!
        const end = log.lastStableOffset
        const entries = log.committed(from, end)
        if (entries.length > 0) queue.add(() => new EntryCursor(entries), entries.length, end)
        queue.fetched(end, end)
        if (end === log.endOffset) queue.endSeenAt = this.clock.now()
        this.#positions.set(name, end)
      }
    }
  }

  /** Waits for something that may wait for virtual time: then time moves to the next timer, and the next. */
  async #inTime<T>(pending: Promise<T>): Promise<T> {
    const state = { isSettled: false }
    const settle = () => void (state.isSettled = true)
    pending.then(settle, settle)
    while (!state.isSettled) {
      for (let turn = 0; turn < IDLE_TURNS && !state.isSettled; turn++) await Promise.resolve()
      const { next } = this.clock
      if (state.isSettled || next === undefined) break
      this.clock.moveTo(next)
    }
    return await pending
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks.settle()
  }
}
