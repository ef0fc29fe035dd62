/**
 * Sets of tasks, by subtopology and partition, as members of streams groups have them: values, like the sets of partitions
 * that they are made of. A task runs in one role at a member: active, standby, or warm-up (a standby that will be active).
 */
import {
  difference,
  equal,
  filtered,
  intersection,
  noPartitions,
  type Partitions,
  partitionsOf,
  union,
} from "../consumer/partitions.ts"

export const taskRoles = ["active", "standby", "warmup"] as const
export type TaskRole = (typeof taskRoles)[number]

/** By the ids of subtopologies. */
export type Tasks = Readonly<Record<TaskRole, Partitions>>

/** As requests, answers and records carry them. */
export interface TaskIds {
  readonly subtopologyId: string
  readonly partitions: readonly number[]
}

export const noTasks: Tasks = { active: noPartitions, standby: noPartitions, warmup: noPartitions }

export const tasksOf = (ids: readonly TaskIds[]): Partitions =>
  partitionsOf(ids.map(({ subtopologyId, partitions }) => ({ topicId: subtopologyId, partitions })))

export function taskIds(tasks: Partitions): { subtopologyId: string; partitions: number[] }[] {
  return [...tasks].map(([subtopologyId, partitions]) => ({ subtopologyId, partitions: [...partitions] }))
}

/** The lists of one role each, as descriptions and records have them. */
export const taskLists = ({ active, standby, warmup }: Tasks) => ({
  activeTasks: taskIds(active),
  standbyTasks: taskIds(standby),
  warmupTasks: taskIds(warmup),
})

export const perRole = (make: (role: TaskRole) => Partitions): Tasks => ({
  active: make("active"),
  standby: make("standby"),
  warmup: make("warmup"),
})

export const commonTasks = (left: Tasks, right: Tasks): Tasks =>
  perRole((role) => intersection(left[role], right[role]))
export const missingTasks = (left: Tasks, right: Tasks): Tasks => perRole((role) => difference(left[role], right[role]))
export const allTasks = (left: Tasks, right: Tasks): Tasks => perRole((role) => union(left[role], right[role]))
export const filteredTasks = (
  tasks: Tasks,
  keep: (role: TaskRole, subtopologyId: string, partition: number) => boolean,
): Tasks => perRole((role) => filtered(tasks[role], (id, partition) => keep(role, id, partition)))

export const equalTasks = (left: Tasks, right: Tasks): boolean =>
  taskRoles.every((role) => equal(left[role], right[role]))
export const isEmpty = (tasks: Tasks): boolean => taskRoles.every((role) => tasks[role].size === 0)
export const haveCommon = (left: Tasks, right: Tasks): boolean => !isEmpty(commonTasks(left, right))

/** Names a task: subtopology ids are chosen by clients, so the partition goes first. */
export const taskKey = (subtopologyId: string, partition: number): string => `${partition}_${subtopologyId}`
