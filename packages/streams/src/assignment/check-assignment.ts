/**
 * Whether an assignor's answer is one: every task runs in one process that is there, and copies are of tasks that have state,
 * in other processes. The first thing that is wrong is told by name.
 */
import { PipelineError } from "../errors.ts"
import type {
  ApplicationState,
  AssignmentErrorKind,
  ProcessAssignment,
  TaskAssignment,
  TaskAssignor,
} from "./task-assignor.ts"

/** An assignor's answer that cannot be. */
export class TaskAssignmentError extends PipelineError {
  readonly kind: AssignmentErrorKind
  constructor(kind: AssignmentErrorKind, message: string) {
    super(`${message} (${kind})`)
    this.kind = kind
  }
}

/** Asks an assignor; what it throws is told with its name. */
export function askAssignor(assignor: TaskAssignor, state: ApplicationState): TaskAssignment {
  const where = `application "${state.applicationId}", assignor "${assignor.name}"`
  let answer: unknown
  try {
    answer = assignor.assign(state)
  } catch (cause) {
    throw new PipelineError(`${where}: it failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  if (!(answer instanceof Map)) {
    // Nobody waits for it.
    if (answer instanceof Promise) answer.catch(() => {})
    const what = answer instanceof Promise ? "a promise: it must be synchronous" : typeof answer
    throw new PipelineError(`${where}: expected a Map of process ids to what each is to have, it answered ${what}`)
  }
  checkLists(where, answer)
  checkAssignment(where, state, answer)
  return answer
}

/** An assignor may be JavaScript, in which anything can be in the map. */
function checkLists(where: string, answer: Map<unknown, unknown>): asserts answer is Map<string, ProcessAssignment> {
  for (const [processId, given] of answer) {
    const lists = Object(given) as Readonly<Record<string, unknown>>
    for (const name of ["active", "standby", "warmup"]) {
      const list = lists[name]
      if (Array.isArray(list) || (list === undefined && name !== "active")) continue
      const what = list === null ? "null" : typeof list
      throw new PipelineError(
        `${where}: process ${String(processId)}: expected an array of tasks as "${name}", it is ${what}`,
      )
    }
  }
}

function checkAssignment(where: string, state: ApplicationState, given: TaskAssignment): void {
  const fail = (kind: AssignmentErrorKind, what: string): never => {
    throw new TaskAssignmentError(kind, `${where}: ${what}`)
  }
  const owners = new Map<string, string>()
  for (const [processId, assignment] of given) {
    if (!state.processes.has(processId)) fail("UNKNOWN_PROCESS_ID", `there is no process ${processId}`)
    for (const task of namesOf(assignment))
      if (!state.tasks.has(task))
        fail("UNKNOWN_TASK_ID", `process ${processId} is given task ${task}, which there is not`)
    for (const task of assignment.active) {
      const other = owners.get(task)
      const both = other === processId ? `twice to process ${processId}` : `to processes ${other} and ${processId}`
      if (other !== undefined) fail("ACTIVE_TASK_ASSIGNED_MULTIPLE_TIMES", `task ${task} is given ${both}`)
      owners.set(task, processId)
    }
  }
  for (const [processId, assignment] of given) {
    const copies = copiesOf(assignment)
    for (const [at, task] of copies.entries()) {
      const copy = `process ${processId} is given a copy of task ${task}`
      if (!state.tasks.get(task)!.isStateful) fail("INVALID_STANDBY_TASK", `${copy}, which has no state`)
      if (owners.get(task) === processId) fail("INVALID_STANDBY_TASK", `${copy}, which it runs itself`)
      if (copies.indexOf(task) !== at) fail("INVALID_STANDBY_TASK", `${copy} twice`)
    }
  }
  for (const processId of state.processes.keys())
    if (!given.has(processId))
      fail("MISSING_PROCESS_ID", `process ${processId} is left out; give it empty lists at least`)
  for (const task of state.tasks.keys())
    if (!owners.has(task))
      fail("ACTIVE_TASK_NOT_ASSIGNED", `task ${task} is given to no process, and nobody would run it`)
}

const copiesOf = ({ standby = [], warmup = [] }: ProcessAssignment): string[] => [...standby, ...warmup]

const namesOf = (assignment: ProcessAssignment): string[] => [...assignment.active, ...copiesOf(assignment)]
