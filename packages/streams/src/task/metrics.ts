/**
 * What a task counts. Counters only grow, those of aborted transactions included; a reader takes differences.
 */
import type { DropReason } from "./context.ts"

export interface TaskMetrics {
  /** Records taken from the task's inputs. */
  processed: number
  /** Records written to topics other than changelogs. */
  emitted: number
  /** Those of them that were written to dead-letter topics. */
  deadLetters: number
  /** Records written to changelogs. */
  changelogged: number
  /** How far records came behind the greatest timestamp before them, in milliseconds: all of them together. */
  latenessMsSum: number
  latenessMsMax: number
  readonly dropped: Record<DropReason, number>
}

export const newTaskMetrics = (): TaskMetrics => ({
  processed: 0,
  emitted: 0,
  deadLetters: 0,
  changelogged: 0,
  latenessMsSum: 0,
  latenessMsMax: 0,
  dropped: { late: 0, "null-key": 0, tombstone: 0, skipped: 0 },
})

/** Adds one task's counts to those of others. */
export function addTaskMetrics(into: TaskMetrics, from: TaskMetrics): void {
  into.processed += from.processed
  into.emitted += from.emitted
  into.deadLetters += from.deadLetters
  into.changelogged += from.changelogged
  into.latenessMsSum += from.latenessMsSum
  into.latenessMsMax = Math.max(into.latenessMsMax, from.latenessMsMax)
  for (const reason of Object.keys(into.dropped) as DropReason[]) into.dropped[reason] += from.dropped[reason]
}
