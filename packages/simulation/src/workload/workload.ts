/**
 * A part of a run of the logs suite: topics of its own, processes that use them while faults strike, and what must hold.
 */
import type { NewTopic } from "@millrace/client/admin/topics"

export interface Workload {
  readonly topics: readonly NewTopic[]
  /** What broke so far, each a sentence. */
  readonly findings: readonly string[]
  start(): void
  /** Kills one of its own processes, or has another take its place. */
  strike?(): void
  /** All that it waits for, once the faults are over, is done. */
  readonly isDone: boolean
  /** For a run that got stuck. */
  waitsFor(): string[]
  /** Once it is done. */
  check(): Promise<string[]>
  readonly figures: Readonly<Record<string, number>>
}
