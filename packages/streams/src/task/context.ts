/**
 * What a processor may use of the task that it runs in. No clock is here: time comes from records, or is the one that the
 * transaction decided on (punctuators.ts).
 */
import type { Serde } from "@millrace/schema"
import type { StreamRecord, Headers } from "../dsl/record.ts"
import type { Cell } from "../state/cell.ts"
import type { GlobalRows } from "../state/global-store.ts"
import type { Store } from "../state/store.ts"
import type { TaskId } from "../topology/naming.ts"
import type { SubTopology } from "../topology/topology.ts"
import type { TaskMetrics } from "./metrics.ts"
import type { EffectPort } from "./effects.ts"
import type { IdleSources } from "./idle-sources.ts"
import type { Slot } from "./gate.ts"
import type { Punctuators } from "./punctuators.ts"
import type { Processor } from "../operators/operator.ts"

/** Leaves the choice of the partition to the producer. */
export const ANY_PARTITION = -1

/** Where a task's records go: the transaction's producer. It copies what it is given; failures surface at its flush. */
export interface RecordOutput {
  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: Headers,
  ): void
  /** Resolves once there is room for more; at once when there is. */
  waitForSpace(): Promise<void>
  /** How many partitions a topic has. */
  partitionCount(topic: string): number
}

export interface TaskContext {
  readonly applicationId: string
  readonly pipeline: string
  readonly subtopology: SubTopology
  readonly taskId: TaskId
  /** Tasks of the sub-topology: what readers of our repartition topics must know. */
  readonly taskCount: number
  readonly output: RecordOutput
  readonly metrics: TaskMetrics
  /** Where effects run; undefined when the pipeline has none. */
  readonly effects: EffectPort | undefined
  store(name: string): Store
  /** A table that every process has whole; its rows are those of the moment. */
  globalTable(name: string): GlobalRows
  /** A number that commits with the task's offsets, in their metadata. */
  cell(name: string): Cell
  /** The serde to use on a topic: bound to the registry where there is one. */
  serde<T>(serde: Serde<T>, topic: string, isKey: boolean): Serde<T>
  /** Reserves the next place behind a suspending processor, for results that come later. */
  suspend(processor: Processor): Slot
  /** Runs what a late result makes possible: a failure in it aborts the transaction. */
  resume(run: () => void): void
  /** Timers, punctuations and the task's times. */
  readonly punctuators: Punctuators
  /** Of ordinary topics that say when they are idle. */
  readonly idleSources: IdleSources | undefined
  /** Some input comes through a repartition topic, whose records carry their upstream tasks' times. */
  readonly isRepartitioned: boolean
  /** Asks for the transaction to end soon. */
  requestCommit(): void
  /** Calls back when the task goes. */
  atClose(close: () => void): void
  /** Aborts the transaction. */
  fail(cause: unknown): void
  /** Calls back when a transaction is to commit, once all records before `level` are through. */
  atCommit(level: number, finish: () => void): void
  /** Calls back when a transaction is aborted, before anything else is processed. */
  atAbort(undo: () => void): void
  /** Records dropped with a reason, so that silence can be told from loss. */
  drop(reason: DropReason, record: StreamRecord | undefined): void
}

export type DropReason = "late" | "null-key" | "tombstone" | "skipped"
