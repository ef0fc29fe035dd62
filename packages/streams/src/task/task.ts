/**
 * One task: one partition of one sub-topology, with its queues, processors and stores.
 *
 * `process` takes records one by one in the order that partition-group.ts decides and drives each through the processors,
 * synchronously and depth first; what cannot finish at once waits at a gate. A commit goes
 *
 *     drain()  until nothing waits  ->  stage()  changelogs, offsets  ->  merge() or rollback()
 *
 * and between drain and merge nothing is processed. Rollback undoes the whole transaction: overlays, cells, times, what
 * waits at gates and what is in the queues, which the worker then fills again from the committed offsets.
 */
import { type Serde, UnknownSchemaId } from "@millrace/schema"
import { invariant } from "@millrace/host"
import type { StreamRecord } from "../dsl/record.ts"
import { InterruptedRecord, ProcessingError } from "../errors.ts"
import type { Processor, Receiver } from "../operators/operator.ts"
import type { SourceReader } from "../operators/source-reader.ts"
import { Cell, NO_TIME } from "../state/cell.ts"
import type { GlobalRows } from "../state/global-store.ts"
import { sizeOfHeaders } from "../state/row.ts"
import { changelogKey, changelogValue, type Store } from "../state/store.ts"
import { isLogged } from "../topology/node.ts"
import type { TaskId } from "../topology/naming.ts"
import type { SubTopology } from "../topology/topology.ts"
import { formatTaskId } from "../topology/naming.ts"
import type { DropReason, RecordOutput, TaskContext } from "./context.ts"
import type { EffectPort } from "./effects.ts"
import { Failures } from "./failures.ts"
import { Gate, gated, type Slot, waitingAt } from "./gate.ts"
import { TASK_LIMITS, type TaskLimits } from "./limits.ts"
import { type IdleSources, watchIdleSources } from "./idle-sources.ts"
import { Intake } from "./intake.ts"
import { newTaskMetrics, type TaskMetrics } from "./metrics.ts"
import { type AwaitedTime, awaitedTimes } from "./awaited-time.ts"
import { encodeMetadata, type OffsetMetadata } from "./offset-metadata.ts"
import { PartitionGroup } from "./partition-group.ts"
import { Punctuators } from "./punctuators.ts"
import { RecordQueue } from "./record-queue.ts"
import { TimeAdvance, timeMark, timeOfDay } from "./time-advance.ts"
import type { RecordTracing } from "./tracing.ts"
import { wire } from "./wire.ts"

export interface TaskInput {
  readonly topic: string
  readonly partition: number
  /** Where to read on: the committed offset, or where an unread partition begins. */
  readonly position: number
  /** Of the committed offset. */
  readonly metadata: OffsetMetadata | undefined
}

export interface TaskOptions {
  readonly applicationId: string
  readonly pipeline: string
  readonly id: TaskId
  readonly subtopology: SubTopology
  readonly taskCount: number
  readonly inputs: readonly TaskInput[]
  /** By name, restored. */
  readonly stores: ReadonlyMap<string, Store>
  /** Of the process, by name. */
  readonly globalTables?: ReadonlyMap<string, GlobalRows>
  readonly output: RecordOutput
  readonly effects: EffectPort | undefined
  readonly serde?: TaskContext["serde"]
  readonly limits?: Partial<TaskLimits>
  /** Of source topics that do not say themselves when they are idle; 0 never. */
  readonly idleAfterMs?: number
  /** How long it waits for a partition that is read to its end (partition-group.ts). */
  readonly maxTaskIdleMs?: number
  /** Wall-clock milliseconds of the epoch. */
  readonly now: () => number
  readonly tracing?: RecordTracing
  /** Counts what each operator receives, at the price of a call per record and operator. */
  readonly countsOperators?: boolean
}

/** Written to a changelog before the producer is asked whether it has room for more. */
const CHANGELOG_PART_BYTES = 4 * 1024 * 1024

export interface CommittableOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string
}

export class Task implements TaskContext {
  readonly taskId: TaskId
  readonly name: string
  readonly applicationId: string
  readonly pipeline: string
  readonly taskCount: number
  readonly output: RecordOutput
  readonly metrics: TaskMetrics = newTaskMetrics()
  readonly effects: EffectPort | undefined
  readonly stores: ReadonlyMap<string, Store>
  readonly subtopology: SubTopology
  readonly group: PartitionGroup
  readonly punctuators: Punctuators
  readonly isRepartitioned: boolean
  readonly idleSources: IdleSources | undefined
  /** Records received by operator, when they are counted. */
  readonly operatorCounts: Map<string, number> | undefined
  readonly #globalTables: ReadonlyMap<string, GlobalRows> | undefined
  readonly #serde: TaskContext["serde"]
  readonly #limits: TaskLimits
  readonly #tracing: RecordTracing | undefined
  readonly #intake: Intake
  readonly #gates: readonly Gate[]
  readonly #sources: ReadonlyMap<RecordQueue, SourceReader>
  readonly #cells = new Map<string, Cell>()
  readonly #restoredCells = new Map<string, number>()
  readonly #endsWithTransaction: boolean
  /** Of a task that is told its time. */
  readonly #time: TimeAdvance | undefined
  readonly #finishers: Array<{ readonly level: number; readonly finish: () => void }> = []
  readonly #undos: Array<() => void> = []
  readonly #closers: Array<() => void> = []
  #isDirty = false
  #isCommitRequested = false
  /** Records taken since the last commit. */
  openRecords = 0
  #lastQueue: RecordQueue | undefined
  #lastOffset = 0
  #rejected: { readonly queue: RecordQueue; readonly offset: number; readonly cause: unknown } | undefined
  /** The greatest timestamp so far, for the count of lateness alone. */
  #latest = NO_TIME
  #failure: { readonly cause: unknown } | undefined
  #onProgress: () => void = () => {}
  #rejectDrain: ((cause: unknown) => void) | undefined

  constructor(options: TaskOptions) {
    this.taskId = options.id
    this.name = formatTaskId(options.id)
    this.applicationId = options.applicationId
    this.pipeline = options.pipeline
    this.taskCount = options.taskCount
    this.#tracing = options.tracing
    this.output = options.tracing?.traced(options.output) ?? options.output
    this.effects = options.effects
    this.stores = options.stores
    this.#globalTables = options.globalTables
    this.subtopology = options.subtopology
    this.#serde = options.serde ?? ((serde) => serde)
    this.#limits = { ...TASK_LIMITS, ...options.limits }
    const atOnce = options.subtopology.nodes.flatMap(({ logical }) =>
      logical.operator.suspends === true ? ((logical.options["concurrency"] as number | undefined) ?? []) : [],
    )
    this.#intake = new Intake(this.#limits.waitingRecordsMax, atOnce.length === 0 ? undefined : Math.min(...atOnce))
    this.#endsWithTransaction = options.subtopology.nodes.some((node) => node.logical.operator.endsWithTransaction)
    this.#gates = Array.from({ length: options.subtopology.levels }, () => new Gate())
    for (const { metadata } of options.inputs) {
      for (const [name, value] of Object.entries(metadata?.cells ?? {})) this.#restoredCells.set(name, value)
    }
    this.isRepartitioned = options.subtopology.sources.some(({ repartition }) => repartition)
    const gate = (level: number, receiver: Receiver) => gated(this.#gates.slice(0, level), receiver)
    this.punctuators = new Punctuators({ cell: (name) => this.cell(name), now: options.now, gate })
    this.operatorCounts = options.countsOperators === true ? new Map() : undefined
    const { readers, processors } = wire(options.subtopology, this, this.#gates, this.operatorCounts)
    this.#sources = new Map(
      options.inputs.map((input) => {
        const reader = readers.get(input.topic)
        invariant(reader !== undefined, `task ${this.name} does not read ${input.topic}`)
        const queue = new RecordQueue(input.topic, input.partition, input.position)
        reader.restore(queue, input.metadata)
        return [queue, reader] as const
      }),
    )
    this.group = new PartitionGroup([...this.#sources.keys()], {
      maxIdleMs: options.maxTaskIdleMs ?? 0,
      now: options.now,
    })
    this.idleSources = watchIdleSources(options.subtopology, {
      queues: this.group.queues,
      idleAfterMs: options.idleAfterMs ?? 0,
      cell: (name) => this.cell(name),
      now: options.now,
    })
    if (!this.isRepartitioned && this.idleSources === undefined) return
    this.#time = new TimeAdvance({ context: this, processors, queues: this.group.queues, idle: this.idleSources, gate })
  }

  // What processors use.

  store(name: string): Store {
    const store = this.stores.get(name)
    invariant(store !== undefined, `task ${this.name} has no store ${name}`)
    return store
  }

  globalTable(name: string): GlobalRows {
    const table = this.#globalTables?.get(name)
    invariant(table !== undefined, `task ${this.name} has no global table ${name}`)
    return table
  }

  cell(name: string): Cell {
    let cell = this.#cells.get(name)
    if (cell === undefined) {
      cell = new Cell(this.#restoredCells.get(name) ?? NO_TIME)
      this.#cells.set(name, cell)
    }
    return cell
  }

  serde<T>(serde: Serde<T>, topic: string, isKey: boolean): Serde<T> {
    return this.#serde(serde, topic, isKey)
  }

  suspend(processor: Processor): Slot {
    return this.#gates[processor.node.level]!.reserve(processor.next, processor.node.name)
  }

  atCommit(level: number, finish: () => void): void {
    this.#finishers.push({ level, finish })
  }

  atAbort(undo: () => void): void {
    this.#undos.push(undo)
  }

  atClose(close: () => void): void {
    this.#closers.push(close)
  }

  requestCommit(): void {
    this.#isCommitRequested = true
  }

  drop(reason: DropReason, _record: StreamRecord | undefined): void {
    this.metrics.dropped[reason]++
  }

  /** Called when something that waited has moved on, or failed. */
  onProgress(callback: () => void): void {
    this.#onProgress = callback
  }

  /** Records at hand wait for the effects before them. */
  get isBlocked(): boolean {
    return this.waitingRecords >= this.#intake.max
  }

  get waitingRecords(): number {
    return waitingAt(this.#gates)
  }

  /** The operator that records wait for. */
  get waitsFor(): string | undefined {
    return this.#gates.find((gate) => !gate.isEmpty)?.waitsFor
  }

  /** A commit waited for so many of this task's records, for this part of the time that it may wait. */
  drained(waiting: number, part: number): void {
    this.#intake.drained(waiting, part)
  }

  /** Partitions of which it must be known when they were last seen to have nothing more. */
  get watchedQueues(): Iterable<RecordQueue> {
    return this.idleSources?.queues ?? []
  }

  /** Upstream tasks that have told no time yet: what is held back here, and in tasks behind this one, waits for them. */
  get awaited(): readonly AwaitedTime[] {
    return awaitedTimes(this.#sources)
  }

  /** Something here waits for time to come. */
  get holdsBack(): boolean {
    return this.#time?.holdsBack === true
  }

  /** Milliseconds until something happens by the wall clock; undefined when nothing will. */
  get untilDue(): number | undefined {
    const [punctuation, idleness] = [this.punctuators.untilDue, this.idleSources?.untilDue]
    return punctuation === undefined || idleness === undefined
      ? (punctuation ?? idleness)
      : Math.min(punctuation, idleness)
  }

  /** Something was processed since the last commit. */
  get isDirty(): boolean {
    return this.#isDirty
  }

  /** The open transaction holds so much that it should end. */
  get isHeavy(): boolean {
    if (this.#endsWithTransaction && this.isBlocked) return true
    if (this.#isCommitRequested) return true
    // What happens by the wall clock does so at the beginning of a transaction: what is due must not wait for long.
    if (this.#isDirty && this.untilDue === 0) return true
    let entries = 0
    let bytes = 0
    for (const store of this.stores.values()) {
      entries += store.openEntries
      bytes += store.openBytes
    }
    return entries >= this.#limits.openEntriesMax || bytes >= this.#limits.openBytesMax
  }

  queue(topic: string, partition: number): RecordQueue | undefined {
    return this.group.queues.find((queue) => queue.topic === topic && queue.partition === partition)
  }

  /** Processes at most so many records; answers how many. Throws `UnknownSchemaId` before the record that needs it. */
  process(recordsMax: number): number {
    this.#throwFailure()
    if (!this.#isDirty) this.#begin()
    let count = 0
    let signals = 0
    while (count < recordsMax && !(this.#gates.length > 0 && this.isBlocked)) {
      const queue = this.group.choose()
      if (queue === undefined) break
      const reader = this.#sources.get(queue)!
      const { horizon, idleTime } = queue
      const record = reader.read(queue)
      this.#isDirty = true
      this.openRecords++
      this.#lastQueue = queue
      this.#lastOffset = queue.head!.offset
      try {
        const hasMoved = this.punctuators.observe(record, this.#time)
        if (queue.horizon !== horizon || queue.idleTime !== idleTime) this.#time!.run(record ?? timeMark(queue))
        this.idleSources?.taken(queue, this.punctuators)
        if (this.#rejected !== undefined && this.#isRejected) this.#passOver(queue)
        else if (record !== undefined) {
          if (record.timestamp >= this.#latest) this.#latest = record.timestamp
          else this.#countLateness(this.#latest - record.timestamp)
          if (this.#tracing === undefined) reader.next.receive(record)
          else this.#tracing.follow(record, (followed) => reader.next.receive(followed))
        } else signals++
        if (hasMoved) this.punctuators.punctuate()
      } catch (cause) {
        throw halfway(cause)
      }
      queue.advance()
      count++
    }
    // What upstream tasks tell each other of their times is no record of the stream.
    this.metrics.processed += count - signals
    return count
  }

  /**
   * The record taken last cannot be committed: when it comes again it is handled as one that cannot be written. Answers
   * false when that was tried.
   */
  reject(cause: unknown): boolean {
    if (this.#lastQueue === undefined || this.#isRejected) return false
    this.#rejected = { queue: this.#lastQueue, offset: this.#lastOffset, cause }
    return true
  }

  get #isRejected(): boolean {
    return this.#rejected?.queue === this.#lastQueue && this.#rejected?.offset === this.#lastOffset
  }

  #passOver(queue: RecordQueue): void {
    const { nodes, sources } = this.subtopology
    const handler = nodes.find(({ kind, onFailure }) => kind === "to" && onFailure !== undefined)?.onFailure ?? "fail"
    const { node } = sources.find(({ topic }) => topic === queue.topic)!
    const { topic, partition } = queue
    const site = { pipeline: this.pipeline, operator: node.name, topic, partition, offset: this.#lastOffset }
    const error = new ProcessingError(site, this.#rejected!.cause)
    new Failures(node, this, handler).handle(error, undefined, queue)
  }

  #begin(): void {
    try {
      if (this.punctuators.begin()) this.#isDirty = true
      if (this.idleSources?.begin(this.punctuators) !== true) return
      this.#isDirty = true
      const hasMoved = this.punctuators.observe(undefined, this.#time)
      this.#time!.run(timeOfDay(this.punctuators.now, this.taskId.partition))
      if (hasMoved) this.punctuators.punctuate()
    } catch (cause) {
      this.#isDirty = true
      throw halfway(cause)
    }
  }

  #countLateness(ms: number): void {
    this.metrics.latenessMsSum += ms
    if (ms > this.metrics.latenessMsMax) this.metrics.latenessMsMax = ms
  }

  /** A suspended part failed: the transaction must be aborted. */
  fail(cause: unknown): void {
    this.#failure ??= { cause: halfway(cause) }
    this.#rejectDrain?.(this.#failure.cause)
    this.#onProgress()
  }

  /** Runs what a late result makes possible; processors call it from outside `process`. */
  resume(run: () => void): void {
    if (this.#failure !== undefined) return
    try {
      run()
    } catch (cause) {
      return this.fail(cause)
    }
    this.#onProgress()
  }

  /** Completes what may only end with the transaction, level by level, and waits for what is pending. */
  async drain(): Promise<void> {
    for (let level = 0; level <= this.#gates.length; level++) {
      if (level > 0) await this.#emptied(this.#gates[level - 1]!)
      for (const finisher of this.#finishers) if (finisher.level === level) finisher.finish()
    }
    this.#throwFailure()
  }

  #emptied(gate: Gate): Promise<void> | undefined {
    this.#throwFailure()
    if (gate.isEmpty) return undefined
    return new Promise((resolve, reject) => {
      this.#rejectDrain = reject
      gate.onceEmpty(resolve)
    })
  }

  /** Writes changelogs and answers the offsets to commit. Only after `drain`. */
  async stage(transaction: string): Promise<CommittableOffset[]> {
    for (const gate of this.#gates) invariant(gate.isEmpty, `task ${this.name} commits while records wait`)
    for (const store of this.stores.values()) await this.#writeChangelog(store)
    const cells: Record<string, number> = {}
    for (const [name, cell] of this.#cells) if (cell.value !== NO_TIME) cells[name] = cell.value
    return [...this.#sources].map(([queue, reader], index) => ({
      topic: queue.topic,
      partition: queue.partition,
      offset: queue.position,
      metadata: encodeMetadata({ transaction, cells: index === 0 ? cells : {}, upstream: reader.times(queue) }),
    }))
  }

  /** In parts, each of which waits for room: a transaction may change more than the producer holds. */
  async #writeChangelog(store: Store): Promise<void> {
    const writes = store.stage()
    if (!isLogged(store.spec)) return
    let bytes = 0
    for (const write of writes) {
      const value = changelogValue(write)
      const { timestamp, headers } = write
      this.output.append(store.spec.changelog, this.taskId.partition, timestamp, changelogKey(write), value, headers)
      this.metrics.changelogged++
      bytes += write.key.length + (value?.length ?? 0) + sizeOfHeaders(headers)
      if (bytes < CHANGELOG_PART_BYTES) continue
      bytes = 0
      await this.output.waitForSpace()
    }
  }

  /** The transaction committed. */
  merge(): void {
    for (const store of this.stores.values()) store.merge()
    for (const cell of this.#cells.values()) cell.commit()
    this.#rejected = undefined
    for (const reader of this.#sources.values()) reader.commit()
    this.#end()
  }

  #end(): void {
    this.openRecords = 0
    this.punctuators.end()
    this.#isCommitRequested = false
    this.#isDirty = false
  }

  /** The task goes: its processors end, once. */
  close(): void {
    for (const close of this.#closers.splice(0)) close()
  }

  /** The transaction aborted: `positions` are the committed offsets to read on from. */
  rollback(positions: (topic: string, partition: number) => number): void {
    for (const undo of this.#undos) undo()
    for (const gate of this.#gates) gate.clear()
    for (const store of this.stores.values()) store.rollback()
    for (const cell of this.#cells.values()) cell.rollback()
    for (const reader of this.#sources.values()) reader.rollback()
    for (const queue of this.group.queues) queue.reset(positions(queue.topic, queue.partition))
    this.#failure = undefined
    this.#rejectDrain = undefined
    this.#end()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.cause
  }
}

/** A stored value of an unknown schema is met when part of its record's work is done: the record cannot just go again. */
const halfway = (cause: unknown): unknown => (cause instanceof UnknownSchemaId ? new InterruptedRecord(cause) : cause)
