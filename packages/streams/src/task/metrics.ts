/**
 * What a task counts. Counters only grow; a reader takes differences.
 */
import type { DropReason } from "./context.ts"

export interface TaskMetrics {
  /** Records taken from the task's inputs. */
  processed: number
  /** Records written to topics other than changelogs. */
  emitted: number
  /** Records written to changelogs. */
  changelogged: number
  readonly dropped: Record<DropReason, number>
}

export const newTaskMetrics = (): TaskMetrics => ({
  processed: 0,
  emitted: 0,
  changelogged: 0,
  dropped: { late: 0, "null-key": 0, tombstone: 0, skipped: 0 },
})
