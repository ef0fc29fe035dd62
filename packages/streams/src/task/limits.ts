/**
 * When a task takes no more records for now, and when its transaction should end.
 */
export interface TaskLimits {
  /** Records waiting at gates before the task takes no more; effects that are slow lower it (intake.ts). */
  readonly waitingRecordsMax: number
  /** Entries in overlays before the transaction should end. */
  readonly openEntriesMax: number
  /** Bytes that those entries will take in changelogs, roughly, before the transaction should end. */
  readonly openBytesMax: number
}

export const TASK_LIMITS: TaskLimits = {
  waitingRecordsMax: 10_000,
  openEntriesMax: 200_000,
  openBytesMax: 64 * 1024 * 1024,
}
