/**
 * The figures of a running pipeline at one instant: of the process, of each of its tasks and of their stores.
 */
import type { Store } from "../state/store.ts"
import type { AwaitedTime } from "../task/awaited-time.ts"
import type { Task } from "../task/task.ts"
import type { TaskMetrics } from "../task/metrics.ts"
import type { HistogramSnapshot } from "@millrace/metrics"

export interface RunMetrics extends Readonly<TaskMetrics> {
  /** Tasks that run, restored. Counts above are of them and of all that have left. */
  readonly tasks: number
  readonly restoringTasks: number
  /** Changelog records that tasks read before they could run, since the start. */
  readonly restoredRecords: number
  /** Copies of other processes' tasks. */
  readonly standbyTasks: number
  /** Those among them that are to become active here. */
  readonly warmupTasks: number
  readonly transactions: { readonly committed: number; readonly aborted: number }
  /** Threads that process. */
  readonly workers: number
  /** Records a second over the last half minute. */
  readonly processRate: number
  /** From the end of intake to the outcome. */
  readonly commitLatency: HistogramSnapshot
  readonly perTask: readonly TaskReport[]
  readonly restoring: readonly RestoreReport[]
}

export interface TaskReport extends Readonly<TaskMetrics> {
  /** SUBTOPOLOGY_PARTITION. */
  readonly task: string
  /** Records fetched that wait for their turn, roughly: batches count whole. */
  readonly buffered: number
  /** Records that were taken and wait for a call, a subscription, or for those before them that do. */
  readonly waiting: number
  /** Records between what was processed and where the inputs ended when they were last fetched. */
  readonly inputLag: number
  /** Upstream tasks that have told no time yet: what is held back here, or behind, waits for them: run/awaited-times.ts. */
  readonly awaited: readonly AwaitedTime[]
  readonly stores: readonly StoreReport[]
  /** Records received by operator, when `metricsLevel` is "debug". */
  readonly operators: Readonly<Record<string, number>>
}

export interface StoreReport {
  readonly store: string
  /** Rows, roughly: those that wait to be written to the engine may be there already. */
  readonly entries: number
  /** On disk (or in the engine's memory) and waiting to be written. */
  readonly bytes: number
}

/** A store that is being brought up to its changelog's end. */
export interface RestoreReport {
  readonly task: string
  readonly store: string
  readonly partition: number
  readonly restored: number
  readonly remaining: number
}

export function reportTask(task: Task): TaskReport {
  const { queues } = task.group
  return {
    task: task.name,
    ...task.metrics,
    dropped: { ...task.metrics.dropped },
    buffered: task.group.bufferedRecords,
    waiting: task.waitingRecords,
    inputLag: queues.reduce((sum, queue) => sum + queue.lag, 0),
    awaited: task.awaited,
    stores: [...task.stores.values()].map(reportStore),
    operators: Object.fromEntries(task.operatorCounts ?? []),
  }
}

function reportStore({ spec, committed }: Store): StoreReport {
  return { store: spec.name, ...committed.stats() }
}
