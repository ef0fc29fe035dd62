/**
 * An assignor of one's own (KIP-924, `task.assignor.class`): from all that the group's leader knows to the process that runs
 * each task, and those that keep copies of it. Our part is what lies around it: who is asked, whether the answer makes sense,
 * which worker thread of a process gets which of its tasks, and that a task moves in two steps.
 */
import type { TaskId } from "../topology/naming.ts"
import type { AssignmentRules } from "./assignment.ts"

export interface TaskAssignor {
  /**
   * Tells it apart from others. All processes of an application name the same: while one of them does not, as in the middle
   * of a deployment, the built-in assignor decides, which they all have.
   */
  readonly name: string
  /**
   * Called on the group's leader alone, whichever process that is, at each rebalance. Synchronous, and by the state alone: two
   * leaders in a row that decide otherwise move tasks for nothing.
   *
   * What it throws, and an answer that cannot be (`TaskAssignmentError`), ends the leader's run, unless its `onUncaught` says
   * otherwise. Another process leads then, and asks its own: where that fails too, for what all are told, one run ends after
   * the other. So do threads of Kafka Streams, where only a `TaskAssignmentException` ends all of them at once.
   */
  assign(state: ApplicationState): TaskAssignment
}

export interface ApplicationState {
  readonly applicationId: string
  /** By name, such as "0_3": partition 3 of sub-topology 0. */
  readonly tasks: ReadonlyMap<string, TaskInfo>
  /** By process id. */
  readonly processes: ReadonlyMap<string, ProcessState>
  /** Options of the leader's run. */
  readonly rules: AssignmentRules
  /** What the built-in assignor would do: a beginning for who wants to change little. */
  builtIn(): Map<string, ProcessAssignment>
}

export interface TaskInfo {
  readonly name: string
  readonly id: TaskId
  /** It has state that is kept in a changelog, and so can be copied. */
  readonly isStateful: boolean
  readonly stores: readonly string[]
  readonly inputs: readonly TaskPartition[]
  readonly changelogs: readonly TaskPartition[]
  /** Records that a process without any of its state would read. */
  readonly stateRecords: number
}

export interface TaskPartition {
  readonly topic: string
  readonly partition: number
  /** Of the broker that it is read from, where brokers tell racks (`broker.rack`). */
  readonly leaderRack: string | undefined
  /** Of all replicas; empty where brokers tell none. */
  readonly racks: readonly string[]
}

export interface ProcessState {
  readonly processId: string
  /** Its worker threads: how much it can run beside others. */
  readonly workers: number
  /** `clientRack`. */
  readonly rack: string | undefined
  readonly tags: Readonly<Record<string, string>>
  /** HOST:PORT where it answers queries. */
  readonly endpoint: string | undefined
  /** Tasks that it runs until now. */
  readonly active: readonly string[]
  /** Copies that it keeps until now. */
  readonly standby: readonly string[]
  /** Changelog records that it would read before it could run a task: of every task with state, 0 of those that run here. */
  readonly lags: ReadonlyMap<string, number>
}

/** What each process is to have, by process id: every process is there, and every task is active in one of them. */
export type TaskAssignment = ReadonlyMap<string, ProcessAssignment>

export interface ProcessAssignment {
  readonly active: readonly string[]
  readonly standby?: readonly string[]
  /**
   * Copies of tasks that are to become active here. Once one lacks no more than `acceptableRecoveryLag`, or after the probing
   * interval, the assignor is asked again.
   */
  readonly warmup?: readonly string[]
}

/** Names as in Kafka Streams, whose assignors may leave a task to nobody: here that is an error. */
export type AssignmentErrorKind =
  | "ACTIVE_TASK_ASSIGNED_MULTIPLE_TIMES"
  | "ACTIVE_TASK_NOT_ASSIGNED"
  | "INVALID_STANDBY_TASK"
  | "MISSING_PROCESS_ID"
  | "UNKNOWN_PROCESS_ID"
  | "UNKNOWN_TASK_ID"
