/**
 * The worker: polls, processes, commits, and gives tasks up and takes them on as its group rebalances.
 *
 *     poll -> queues -> process a slice -> commit when due -> poll ...
 *
 * Everything happens in this one loop, one step after another; rebalance callbacks run inside poll, hence between
 * transactions' steps and never during them. Tasks that open (restore) do so beside the loop, their partitions paused.
 *
 * Revoked: everything processed is committed, for all tasks, then the tasks go. Lost: the transaction is aborted, and the
 * tasks go without a commit, since they are another member's already.
 */
import type { Clock } from "@millrace/host"
import { CommitFailed, type Consumer, ProducerFenced, type TopicPartition } from "@millrace/client"
import { UnknownSchemaId } from "@millrace/schema"
import { corruptionOf, InterruptedRecord, PipelineError } from "../errors.ts"
import { Histogram } from "@millrace/metrics"
import type { Task } from "../task/task.ts"
import type { TransactionTracing } from "../task/tracing.ts"
import { compareTaskIds, formatTaskId, type TaskId } from "../topology/naming.ts"
import type { Topology } from "../topology/topology.ts"
import { AwaitedTimes } from "./awaited-times.ts"
import type { AssignedCopies } from "./assignor-data.ts"
import { grownTopicMessage } from "./grown-topic.ts"
import { Intake } from "./intake.ts"
import type { WorkerOutput } from "./kafka-output.ts"
import type { ResolvedRunOptions } from "./options.ts"
import { inTurn } from "./in-turn.ts"
import { Isolation, refusalOf } from "./isolation.ts"
import { partitionName } from "./ports.ts"
import { Slice } from "./slice.ts"
import { allTasks, inputsOf } from "./task-factory.ts"
import { type OpenedTask, type OpenTask, TaskOpenings } from "./task-openings.ts"
import type { PartitionCounts } from "../topology/partitions.ts"
import { TaskSet } from "./task-set.ts"
import { isTransient, retryDelayMs } from "./transient.ts"

export interface WorkerOptions {
  readonly topology: Topology
  readonly partitions: PartitionCounts
  readonly consumer: Consumer
  readonly output: WorkerOutput
  readonly tasks: TaskSet
  readonly clock: Clock
  readonly run: ResolvedRunOptions
  readonly tracing?: TransactionTracing
  readonly openTask: OpenTask
  /** A task that was opened runs here no more, and its engines are at rest. */
  readonly onTaskClosed: (name: string) => void
  /** After a commit, between transactions. */
  readonly onCommit: () => Promise<void>
  /** What ends the run, in words for whoever runs it. */
  readonly explain: (failure: unknown) => unknown
  /** Tasks came, went or became ready. */
  readonly onChange?: () => void
  /** Copies of state to keep from now on, and those among them that are to become active. */
  readonly onCopies: (standby: readonly string[], warmup: readonly string[]) => void
}

/** The longest that a poll waits when nothing else is due. */
const POLL_MS_MAX = 100

export class Worker {
  readonly #options: WorkerOptions
  readonly #tasks: TaskSet
  readonly #consumer: Consumer
  readonly #clock: Clock
  readonly #slice: Slice
  readonly #intake: Intake
  readonly #opening: TaskOpenings
  readonly commitLatency = new Histogram()
  #committedAt = 0
  #isPaused = false
  #hasJoined = false
  #isClosing = false
  #failure: { readonly cause: unknown } | undefined
  #copies: AssignedCopies | undefined
  /** Since when every transaction was aborted. */
  #failingSince: number | undefined
  #attempts = 0
  /** Since the last commit. */
  #replacements = 0
  readonly #isolation = new Isolation()
  readonly #awaited: AwaitedTimes

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#tasks = options.tasks
    this.#consumer = options.consumer
    this.#clock = options.clock
    this.#slice = new Slice(options.clock)
    this.#intake = new Intake(options.consumer, options.tasks, options.run)
    this.#opening = new TaskOpenings({
      clock: options.clock,
      openTask: options.openTask,
      run: options.run,
      onOpened: (opened) => this.#opened(opened),
      onUnwanted: (task) => this.#closed(task),
      onFailure: (cause) => this.fail(cause),
    })
    this.#awaited = new AwaitedTimes(options.topology, options.clock, options.run.log)
  }

  /** It has an assignment, even of nothing, and all tasks of it are open. */
  get isReady(): boolean {
    return this.#hasJoined && this.#opening.size === 0
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Takes no records in (KIP-834). It goes on polling, so that it stays in its group, until its buffers are full. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  /** Names of tasks that are being opened. */
  get opening(): readonly string[] {
    return this.#opening.names
  }

  /** Asks the loop to end after a last commit. */
  stop(): void {
    this.#isClosing = true
  }

  /** Runs until `stop`, or until something fails that trying again cannot mend. */
  async run(): Promise<void> {
    const { topology } = this.#options
    const topics = [...new Set(topology.subtopologies.flatMap((one) => one.sources.map(({ topic }) => topic)))]
    this.#consumer.subscribe(topics, {
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: (partitions) => this.#revoked(partitions),
      onLost: (partitions) => this.#lost(partitions),
    })
    this.#committedAt = this.#clock.monotonic()
    while (!this.#isClosing) {
      try {
        await this.#turn()
      } catch (failure) {
        await this.#recover(failure)
      }
    }
    await this.#finish()
  }

  async #turn(): Promise<void> {
    this.#intake.feed(await this.#consumer.poll(this.#pollTimeout()))
    this.#throwFailure()
    await this.#process()
    this.#awaited.look(this.#tasks.tasks)
    if (this.#isCommitDue()) await this.#commit()
  }

  /** Of a task that could not be opened, or of a commit inside a rebalance. */
  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure.cause
  }

  #pollTimeout(): number {
    if (this.#tasks.isReady && !this.#isPaused) return 0
    let restMs = this.#tasks.isDirty ? Math.max(0, Math.min(this.#untilCommitMs(), POLL_MS_MAX)) : POLL_MS_MAX
    if (this.#isPaused) return restMs
    for (const { untilDue } of this.#tasks.tasks) restMs = Math.min(restMs, Math.ceil(untilDue ?? restMs))
    return restMs
  }

  /** In whole milliseconds: a rest too small to move the clock would be waited for without end. */
  #untilCommitMs(): number {
    return Math.round(this.#options.run.commitIntervalMs - (this.#clock.monotonic() - this.#committedAt))
  }

  /** Processes for a bounded time, letting the process breathe after each part of it. */
  async #process(): Promise<void> {
    if (this.#isPaused) return
    const { tracing } = this.#options
    if (tracing !== undefined && this.#tasks.isReady) tracing.begin()
    try {
      if (await this.#slice.run((recordsMax) => this.#tasks.process(recordsMax, this.#isolation.limit))) {
        await this.#options.output.waitForSpace()
      }
    } catch (failure) {
      if (!(failure instanceof UnknownSchemaId)) throw failure
      await failure.resolve()
    }
    this.#intake.resumeDrained()
  }

  #isCommitDue(): boolean {
    if (this.#tasks.isHeavy) return true
    const { limit } = this.#isolation
    if (limit !== undefined && this.#tasks.openRecords >= limit) return true
    return this.#tasks.isDirty && this.#untilCommitMs() <= 0
  }

  async #commit(leaving: readonly Task[] = []): Promise<void> {
    const startedAt = this.#clock.monotonic()
    const records = this.#tasks.openRecords
    const { tracing } = this.#options
    const commit = () => (leaving.length > 0 ? this.#tasks.commitLeaving(leaving) : this.#tasks.commit())
    const outcome = await (tracing === undefined ? commit() : tracing.commit(records, commit))
    if (outcome !== "nothing") tracing?.end(outcome)
    this.#committedAt = this.#clock.monotonic()
    if (outcome === "committed") {
      this.commitLatency.record(this.#committedAt - startedAt)
      this.#failingSince = undefined
      this.#attempts = 0
      this.#replacements = 0
      this.#isolation.committed(records)
      await this.#options.onCommit()
    }
  }

  /** Aborts, and goes on unless trying again would fail again, or has for too long. */
  async #recover(failure: unknown): Promise<void> {
    // Mostly a transaction that took too long. But a state directory that was copied is one identity in two processes: in a
    // streams group they are one member, whose tasks both run, and what one commits the other does not know.
    if (failure instanceof ProducerFenced) this.#consumer.startOver()
    const refusal = refusalOf(failure)
    const isIsolated = refusal !== undefined && this.#isolate(refusal)
    await this.#abort(failure)
    this.#committedAt = this.#clock.monotonic()
    if (isIsolated) return
    if (failure instanceof InterruptedRecord) return await failure.resolve()
    const corruption = corruptionOf(failure)
    if (corruption !== undefined && !this.#options.topology.globals.some(({ name }) => name === corruption.store)) {
      return await this.#replaceTasks(`${corruption.message}; it is dropped, and rebuilt from its changelog`)
    }
    if (!isTransient(failure)) return await this.#uncaught(failure)
    const now = this.#clock.monotonic()
    this.#failingSince ??= now
    if (now - this.#failingSince > this.#options.run.taskTimeoutMs) return await this.#uncaught(failure)
    this.#options.run.log(`transaction aborted, trying again: ${message(failure)}`)
    // Membership is mended by the next poll, without waiting.
    if (failure instanceof CommitFailed) return
    await this.#slice.pause(retryDelayMs(this.#attempts++))
  }

  /** Narrows a refused transaction down to its record; answers false when there is nothing left to try. */
  #isolate(refusal: Error): boolean {
    const records = this.#tasks.openRecords
    if (records === 0) return false
    this.#options.run.log(`the cluster refused something of a transaction of ${records} records: ${refusal.message}`)
    return !this.#isolation.refused(records) || this.#tasks.reject(refusal)
  }

  /** Ends the run, or puts new tasks in the place of all that run, as the user's handler says. */
  async #uncaught(failure: unknown): Promise<void> {
    const explained = this.#options.explain(failure)
    const action = await this.#options.run.onUncaught?.(explained, ++this.#replacements)
    // The others are told with the heartbeat that leaves the group.
    if (action === "stop-application") this.#consumer.requestShutdown()
    if (action !== "replace") throw explained
    await this.#replaceTasks(`tasks are replaced: ${message(failure)}`)
  }

  async #replaceTasks(reason: string): Promise<void> {
    this.#options.run.log(reason)
    const tasks = [...this.#tasks.tasks]
    for (const { group } of tasks) this.#consumer.pause(group.queues)
    await this.#dismiss(tasks)
    await this.#options.output.recover()
    this.#failingSince = undefined
    await this.#slice.pause(retryDelayMs(this.#replacements))
    for (const { taskId } of tasks) this.#open(taskId)
  }

  /** The tasks are rolled back in any case. A cluster that cannot be reached to abort is asked again at the next turn. */
  async #abort(why?: unknown): Promise<void> {
    this.#options.tracing?.end("aborted", why)
    try {
      await this.#tasks.abort()
    } catch (failure) {
      if (!isTransient(failure)) throw failure
      this.#options.run.log(`the transaction could not be aborted yet: ${message(failure)}`)
    }
  }

  /** The last commit, then the tasks' state to disk. */
  async #finish(): Promise<void> {
    await this.#opening.giveUp(() => true)
    try {
      await this.#tasks.finish()
      this.#options.tracing?.end("committed")
    } catch (failure) {
      await this.#abort(failure)
      if (!isTransient(failure)) throw failure
    }
  }

  // Rebalances.

  /** What comes with the next assignment. */
  follow(copies: AssignedCopies): void {
    this.#copies = copies
    if (copies.refused !== undefined) this.fail(new PipelineError(copies.refused))
  }

  /** Ends the run, unless something did before. */
  fail(cause: unknown): void {
    this.#failure ??= { cause }
  }

  async #assigned(added: readonly TopicPartition[]): Promise<void> {
    const { topology, partitions: counts, onCopies } = this.#options
    for (const { topic, partition } of added) {
      const before = counts.get(topic) ?? 0
      if (partition >= before) {
        return this.fail(new PipelineError(grownTopicMessage(topology, topic, before, partition + 1)))
      }
    }
    if (added.length > 0) this.#consumer.pause(added)
    // Made for the plan that this process had before it was restarted: the right one is on its way.
    if (this.#copies?.isForeign) return
    const names = new Set(this.#consumer.assignment().map(partitionName))
    for (const id of allTasks(topology, counts).sort(compareTaskIds)) {
      if (inputsOf(topology, counts, id).some((input) => names.has(partitionName(input)))) this.#open(id)
    }
    const isActive = (name: string) => this.#opening.has(name) || this.#tasks.get(name) !== undefined
    const { standby = [], warmup = [] } = this.#copies ?? {}
    onCopies(
      standby.filter((name) => !isActive(name)),
      warmup,
    )
    this.#hasJoined = true
    this.#options.onChange?.()
  }

  #open(id: TaskId): void {
    if (this.#tasks.get(formatTaskId(id)) === undefined) this.#opening.begin(id)
  }

  #opened({ task, ends }: OpenedTask): void {
    this.#tasks.add(task)
    for (const queue of task.group.queues) {
      this.#consumer.seek(queue, queue.position)
      queue.fetched(queue.position, ends.get(partitionName(queue)) ?? queue.position)
    }
    this.#consumer.resume(task.group.queues)
    this.#options.onChange?.()
  }

  /** Tasks that lose an input: those that run, and those that are being opened. */
  async #leaving(partitions: readonly TopicPartition[]): Promise<Task[]> {
    const names = new Set(partitions.map(partitionName))
    const { topology, partitions: counts } = this.#options
    const losesInput = (id: TaskId) => inputsOf(topology, counts, id).some((input) => names.has(partitionName(input)))
    await this.#opening.giveUp(losesInput)
    return [...this.#tasks.tasks].filter((task) => losesInput(task.taskId))
  }

  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const leaving = await this.#leaving(partitions)
    await inTurn([() => this.#commitLast(leaving), () => this.#dismiss(leaving)])
  }

  async #commitLast(leaving: readonly Task[]): Promise<void> {
    if (!this.#tasks.isCommitDue(leaving)) return
    try {
      await this.#commit(leaving)
    } catch (failure) {
      await this.#abort(failure)
      if (!isTransient(failure)) this.fail(failure)
    }
  }

  async #lost(partitions: readonly TopicPartition[]): Promise<void> {
    const leaving = await this.#leaving(partitions)
    await inTurn([() => this.#abort(), () => this.#dismiss(leaving)])
  }

  /** All of them go, also when what one wrote to its engines failed. */
  async #dismiss(leaving: readonly Task[]): Promise<void> {
    for (const task of leaving) {
      this.#tasks.remove(task.name)
      this.#intake.forget(task.group.queues)
    }
    await inTurn([...leaving.map((task) => () => this.#closed(task)), () => this.#options.onChange?.()])
  }

  async #closed(task: Task): Promise<void> {
    const settled = [...task.stores.values()].map(
      ({ committed }) =>
        () =>
          committed.settle(),
    )
    await inTurn([...settled, () => this.#options.onTaskClosed(task.name)])
  }
}

const message = (failure: unknown): string => (failure instanceof Error ? failure.message : String(failure))
