/**
 * The tasks of one worker and the transaction that spans them.
 *
 * A commit, in this order (Kafka Streams' own, KIP-447):
 *
 *     drain every task that did something       nothing is pending any more
 *     stage: changelog records                  appended to the same transaction
 *     flush                                     everything is acknowledged, or the transaction is aborted
 *     ends of changelogs                        of stores whose engine is due: their checkpoints
 *     offsets of all these tasks, once          with the transaction's number in their metadata
 *     commit
 *     merge                                     overlays become committed state, in memory
 *     engines are written when due              never waited for, unless they are two memtables behind
 *
 * An outcome that is unknown, or that somebody else may have decided, is found out, not guessed: the transaction's number
 * is among the committed offsets, or it is not. An abort rolls back every task, and input is read again from the offsets
 * committed last.
 */
import { CommitOutcomeUnknown, ProducerFenced } from "@millrace/client/errors"
import type { Checkpoint } from "../state/engine.ts"
import type { Store } from "../state/store.ts"
import { addTaskMetrics, newTaskMetrics, type TaskMetrics } from "../task/metrics.ts"
import { decodeMetadata } from "../task/offset-metadata.ts"
import type { CommittableOffset, Task } from "../task/task.ts"
import { isLogged } from "../topology/node.ts"
import { type ClusterReader, partitionName, type TopicPartition, type TransactionalOutput } from "./ports.ts"

export interface TaskSetOptions {
  readonly output: TransactionalOutput
  readonly cluster: ClusterReader
  /** Unique among all transactions of the application: of this process, and of this start of it. */
  readonly transactionPrefix: string
  readonly now: () => number
  /**
   * Bounds the wait for what is pending: resolves as its argument does, with the part of the time allowed that it took, or
   * rejects with `DrainTimeout`.
   */
  readonly drainWithin?: (pending: Promise<void>) => Promise<number>
  /** Another producer has taken the transactional id over, or the broker has ended its epoch. */
  readonly onFenced?: () => void
  /** Called with where to read on after an abort. */
  readonly onRewind: (positions: ReadonlyArray<TopicPartition & { readonly offset: number }>) => void
}

/** What waits in a task did not end in time: an effect, or a subscription whose result does not complete. */
export class DrainTimeout extends Error {
  override readonly name = "DrainTimeout"
}

interface DueEngine {
  readonly store: Store
  readonly checkpoint: Checkpoint
}

/** A commit that got no answer. Until it is known what became of it, nothing of it may be applied, undone or added to. */
interface UnknownCommit {
  readonly number: string
  readonly offsets: readonly CommittableOffset[]
  readonly dirty: readonly Task[]
  readonly due: readonly DueEngine[]
}

export type CommitOutcome = "nothing" | "committed" | "aborted"

export class TaskSet {
  readonly #options: TaskSetOptions
  readonly #tasks = new Map<string, Task>()
  /** Where each input partition was committed last, or began. */
  readonly #committed = new Map<string, number>()
  #transaction = 0
  #unknown: UnknownCommit | undefined
  transactions = { committed: 0, aborted: 0 }
  /** What tasks counted that have left. */
  readonly #departed = newTaskMetrics()

  constructor(options: TaskSetOptions) {
    this.#options = options
  }

  get tasks(): Iterable<Task> {
    return this.#tasks.values()
  }

  get size(): number {
    return this.#tasks.size
  }

  add(task: Task): void {
    this.#tasks.set(task.name, task)
    for (const queue of task.group.queues) this.#committed.set(partitionName(queue), queue.position)
  }

  /** Only after a commit or an abort. */
  remove(name: string): Task | undefined {
    const task = this.#tasks.get(name)
    this.#tasks.delete(name)
    task?.close()
    if (task !== undefined) addTaskMetrics(this.#departed, task.metrics)
    return task
  }

  /** What all tasks counted since the start, those that have left included. */
  totalMetrics(): TaskMetrics {
    const total = newTaskMetrics()
    addTaskMetrics(total, this.#departed)
    for (const { metrics } of this.#tasks.values()) addTaskMetrics(total, metrics)
    return total
  }

  get(name: string): Task | undefined {
    return this.#tasks.get(name)
  }

  /**
   * Processes what is at hand, a share of each task in turn; answers how many records. None behind an unknown outcome, nor
   * more than the open transaction may take.
   */
  process(recordsMax: number, transactionMax = Number.POSITIVE_INFINITY): number {
    if (this.#unknown !== undefined) return 0
    let count = 0
    for (const task of this.#tasks.values()) {
      const room = transactionMax === Number.POSITIVE_INFINITY ? recordsMax : transactionMax - this.openRecords
      if (room > 0) count += task.process(Math.min(recordsMax, room))
    }
    return count
  }

  /** Records taken since the last commit. */
  get openRecords(): number {
    let count = 0
    for (const task of this.#tasks.values()) count += task.openRecords
    return count
  }

  /** The open transaction's only record cannot be committed; answers false when that was tried. Before `abort`. */
  reject(cause: unknown): boolean {
    for (const task of this.#tasks.values()) if (task.openRecords > 0) return task.reject(cause)
    return false
  }

  /** The first offset of an input partition that is not in the committed state. */
  committedPosition(partition: TopicPartition): number {
    return this.#committed.get(partitionName(partition)) ?? 0
  }

  /** `process` has something to do now. */
  get isReady(): boolean {
    if (this.#unknown !== undefined) return false
    for (const task of this.#tasks.values()) if (!task.isBlocked && task.group.isReady) return true
    return false
  }

  get isDirty(): boolean {
    if (this.#unknown !== undefined) return true
    for (const task of this.#tasks.values()) if (task.isDirty) return true
    return false
  }

  get isHeavy(): boolean {
    for (const task of this.#tasks.values()) if (task.isHeavy) return true
    return false
  }

  /** Commits everything processed. Whatever fails before the outcome is decided is thrown; call `abort` then. */
  commit(): Promise<CommitOutcome> {
    return this.#commit(NO_TASKS)
  }

  /** Tasks that go have something to commit, or state in memory that is worth writing. */
  isCommitDue(leaving: readonly Task[]): boolean {
    return leaving.some((task) => task.isDirty || storesOf(task).some(({ committed }) => committed.hasUnwritten))
  }

  /**
   * Commits everything, and writes the state of tasks that go to their engines, so that nothing of it needs restoring: here,
   * as a copy or a task, or on the way to be one. Their offsets are committed even when nothing was processed, since that
   * is what makes the checkpoints true.
   */
  async commitLeaving(leaving: readonly Task[]): Promise<CommitOutcome> {
    await this.settle(leaving)
    return await this.#commit(new Set(leaving))
  }

  async #commit(leaving: ReadonlySet<Task>): Promise<CommitOutcome> {
    if (this.#unknown !== undefined) {
      const outcome = await this.#resolve(this.#unknown)
      if (leaving.size === 0) return outcome
    }
    const dirty = [...this.#tasks.values()].filter((task) => leaving.has(task) || task.isDirty)
    if (dirty.length === 0) return "nothing"
    await this.#drain(dirty)
    const number = `${this.#options.transactionPrefix}-${++this.#transaction}`
    const offsets: CommittableOffset[] = []
    for (const task of dirty) offsets.push(...(await task.stage(number)))
    const { output } = this.#options
    await output.flush()
    const due = await this.#dueEngines(leaving)
    await output.sendOffsets(offsets)
    const commit = { number, offsets, dirty, due }
    try {
      await output.commit()
    } catch (failure) {
      // Whoever fenced this producer may have done so when its commit had been decided already.
      if (!(failure instanceof CommitOutcomeUnknown || failure instanceof ProducerFenced)) throw failure
      this.#unknown = commit
      if (failure instanceof ProducerFenced) this.#options.onFenced?.()
      return await this.#resolve(commit)
    }
    return await this.#apply(commit)
  }

  /** Finds an unknown outcome out and follows it. What it throws leaves the outcome unknown: it is asked for again. */
  async #resolve(commit: UnknownCommit): Promise<CommitOutcome> {
    const isCommitted = await this.#didCommit(commit.number, commit.offsets)
    this.#unknown = undefined
    if (isCommitted) return await this.#apply(commit)
    this.#rollback()
    return "aborted"
  }

  /** Tasks that went meanwhile are another instance's matter, which read the outcome from the cluster. */
  async #apply({ offsets, dirty, due }: UnknownCommit): Promise<CommitOutcome> {
    const present = dirty.filter((task) => this.#tasks.get(task.name) === task)
    const stores = new Set([...this.#tasks.values()].flatMap((task) => [...task.stores.values()]))
    for (const { topic, partition, offset } of offsets) {
      if (present.some((task) => task.queue(topic, partition) !== undefined))
        this.#committed.set(partitionName({ topic, partition }), offset)
    }
    for (const task of present) task.merge()
    this.transactions.committed++
    await this.#flushEngines(due.filter(({ store }) => stores.has(store)))
    return "committed"
  }

  async #drain(dirty: readonly Task[]): Promise<void> {
    const waiting = dirty.map((task) => task.waitingRecords)
    const steer = (part: number) => dirty.forEach((task, index) => task.drained(waiting[index]!, part))
    const pending = this.#drainInTurn(dirty)
    try {
      steer((await (this.#options.drainWithin?.(pending) ?? pending)) ?? 0)
    } catch (failure) {
      if (!(failure instanceof DrainTimeout)) throw failure
      const waits = dirty.flatMap(({ name, waitsFor }) => (waitsFor === undefined ? [] : [{ name, waitsFor }]))
      steer(1)
      const tasks = Map.groupBy(waits, ({ waitsFor }) => waitsFor)
      const places = [...tasks].map(
        ([operator, found]) => `"${operator}" in ${found.map(({ name }) => name).join(", ")}`,
      )
      throw new DrainTimeout(`${failure.message}: operator ${places.join(", ")}`)
    }
  }

  async #drainInTurn(dirty: readonly Task[]): Promise<void> {
    for (const task of dirty) await task.drain()
  }

  async #didCommit(number: string, offsets: readonly CommittableOffset[]): Promise<boolean> {
    await this.#options.output.recover()
    const found = await this.#options.cluster.committed(offsets)
    return offsets.some((offset) => decodeMetadata(found.get(partitionName(offset))?.metadata)?.transaction === number)
  }

  /** Takes the open transaction back, in the cluster and here. */
  async abort(): Promise<void> {
    if (this.#unknown !== undefined) {
      await this.#resolve(this.#unknown)
      return
    }
    try {
      await this.#options.output.abort()
    } finally {
      this.#rollback()
    }
  }

  #rollback(): void {
    this.transactions.aborted++
    const rewound: Array<TopicPartition & { offset: number }> = []
    for (const task of this.#tasks.values()) {
      task.rollback((topic, partition) => this.#committed.get(partitionName({ topic, partition }))!)
      for (const { topic, partition, position } of task.group.queues)
        rewound.push({ topic, partition, offset: position })
    }
    this.#options.onRewind(rewound)
  }

  /**
   * Engines to be written after this commit, with their checkpoints: the changelogs' ends of now. Only before the offsets
   * are sent, since these are refused when the group has moved on: once they are accepted, no other member can have written
   * below these ends what is not merged here. Asked for later, the ends may count a successor's records.
   */
  async #dueEngines(leaving: ReadonlySet<Task>): Promise<DueEngine[]> {
    const now = this.#options.now()
    const due = []
    for (const task of this.#tasks.values()) {
      for (const store of task.stores.values()) {
        if (isLogged(store.spec) && (leaving.has(task) || store.committed.isDue(now)))
          due.push({ store, topic: store.spec.changelog, partition: task.taskId.partition })
      }
    }
    if (due.length === 0) return []
    const ends = await this.#options.cluster.endOffsets(due)
    const engines = []
    for (const { store, topic, partition } of due) {
      const topicId = await this.#options.cluster.topicId(topic)
      const offset = ends.get(partitionName({ topic, partition }))!
      engines.push({ store, checkpoint: { topicId, offset, writtenAt: now } })
    }
    return engines
  }

  async #flushEngines(due: readonly DueEngine[]): Promise<void> {
    for (const { store, checkpoint } of due) store.committed.flush(checkpoint)
    for (const task of this.#tasks.values())
      for (const store of task.stores.values()) if (store.committed.isFull) await store.committed.settle()
  }

  /** The last commit: an orderly end, after which nothing needs restoring. */
  async finish(): Promise<CommitOutcome> {
    const tasks = [...this.#tasks.values()]
    const outcome = await this.commitLeaving(tasks)
    await this.settle(tasks)
    for (const task of tasks) task.close()
    return outcome
  }

  /** Waits for what is being written to the engines of these tasks. */
  async settle(tasks: Iterable<Task> = this.#tasks.values()): Promise<void> {
    for (const task of tasks) for (const { committed } of storesOf(task)) await committed.settle()
  }
}

const NO_TASKS: ReadonlySet<Task> = new Set()

const storesOf = (task: Task): Store[] => [...task.stores.values()]
