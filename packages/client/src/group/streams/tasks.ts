/**
 * Tasks of a streams group as a member has them: values. A task runs in one role at a member: active, standby, or warm-up
 * (a standby that is to become active).
 */
export interface StreamsTaskId {
  readonly subtopologyId: string
  readonly partition: number
}

export const TASK_ROLES = ["active", "standby", "warmup"] as const
export type TaskRole = (typeof TASK_ROLES)[number]
export type StreamsTasks = Readonly<Record<TaskRole, readonly StreamsTaskId[]>>

export const NO_TASKS: StreamsTasks = { active: [], standby: [], warmup: [] }

/** As requests and answers carry them. */
interface TaskIds {
  readonly subtopologyId: string
  readonly partitions: readonly number[]
}

interface TaskLists<T> {
  readonly activeTasks: T
  readonly standbyTasks: T
  readonly warmupTasks: T
}

/** What an answer says; undefined when it says that nothing has changed. */
export function tasksOf({
  activeTasks,
  standbyTasks,
  warmupTasks,
}: TaskLists<readonly TaskIds[] | null>): StreamsTasks | undefined {
  if (activeTasks === null || standbyTasks === null || warmupTasks === null) return undefined
  return { active: idsOf(activeTasks), standby: idsOf(standbyTasks), warmup: idsOf(warmupTasks) }
}

const idsOf = (lists: readonly TaskIds[]): StreamsTaskId[] =>
  lists.flatMap(({ subtopologyId, partitions }) => partitions.map((partition) => ({ subtopologyId, partition })))

export function taskLists({ active, standby, warmup }: StreamsTasks) {
  return { activeTasks: listOf(active), standbyTasks: listOf(standby), warmupTasks: listOf(warmup) }
}

const listOf = (tasks: readonly StreamsTaskId[]) =>
  [...Map.groupBy(tasks, ({ subtopologyId }) => subtopologyId)].map(([subtopologyId, list]) => ({
    subtopologyId,
    partitions: list.map(({ partition }) => partition),
  }))

/** Subtopology ids may hold anything: the partition goes first. */
const keyOf = ({ subtopologyId, partition }: StreamsTaskId): string => `${partition}_${subtopologyId}`

export function without(tasks: readonly StreamsTaskId[], others: readonly StreamsTaskId[]): StreamsTaskId[] {
  const gone = new Set(others.map(keyOf))
  return tasks.filter((task) => !gone.has(keyOf(task)))
}

/** What of the left is in the right, role by role. */
export function commonTasks(left: StreamsTasks, right: StreamsTasks): StreamsTasks {
  const common = (role: TaskRole) => without(left[role], without(left[role], right[role]))
  return { active: common("active"), standby: common("standby"), warmup: common("warmup") }
}

export const equalTasks = (left: StreamsTasks, right: StreamsTasks): boolean =>
  TASK_ROLES.every((role) => left[role].length === right[role].length && without(left[role], right[role]).length === 0)
