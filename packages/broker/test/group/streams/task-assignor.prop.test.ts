/** The sticky task assignor: every task once, standbys elsewhere, fair shares, and nothing moves without a reason. */
import fc from "fast-check"
import { expect, test } from "vitest"
import { sizeOf } from "../../../src/group/consumer/partitions.ts"
import { assignTasks, type TaskAssignorMember } from "../../../src/group/streams/task-assignor.ts"
import { noTasks, taskIds, taskKey, type TaskRole, type Tasks } from "../../../src/group/streams/tasks.ts"

interface Given {
  readonly counts: readonly number[]
  readonly stateful: readonly boolean[]
  /** The process of each member. */
  readonly processes: readonly number[]
  readonly replicas: number
}

const givens = fc.record({
  counts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  stateful: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  processes: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 }),
  replicas: fc.integer({ min: 0, max: 2 }),
})

const topologyOf = ({ counts, stateful }: Given) => ({
  taskCounts: new Map(counts.map((count, at) => [`${at}`, count])),
  stateful: new Set(counts.flatMap((_, at) => (stateful[at] === true ? [`${at}`] : []))),
})

const membersOf = ({ processes }: Given, targets: ReadonlyMap<string, Tasks> = new Map()): TaskAssignorMember[] =>
  processes.map((process, at) => ({
    memberId: `m${at}`,
    instanceId: null,
    processId: `p${process}`,
    target: targets.get(`m${at}`) ?? noTasks,
  }))

const keys = (tasks: Tasks, role: TaskRole): string[] =>
  taskIds(tasks[role]).flatMap(({ subtopologyId, partitions }) => partitions.map((at) => taskKey(subtopologyId, at)))

function check(given: Given, members: readonly TaskAssignorMember[], assigned: ReadonlyMap<string, Tasks>): void {
  const topology = topologyOf(given)
  const all = [...topology.taskCounts].flatMap(([id, count]) =>
    Array.from({ length: count }, (_, at) => taskKey(id, at)),
  )
  const active = [...assigned.values()].flatMap((tasks) => keys(tasks, "active"))
  expect(active.toSorted()).toEqual(all.toSorted())
  const processes = Map.groupBy(members, ({ processId }) => processId)
  for (const [, together] of processes) {
    const here = together.flatMap(({ memberId }) => {
      const tasks = assigned.get(memberId)!
      return [...keys(tasks, "active"), ...keys(tasks, "standby")]
    })
    expect(new Set(here).size, "a process has a task twice").toBe(here.length)
  }
  const standbys = [...assigned.values()].flatMap((tasks) => keys(tasks, "standby"))
  const copies = Math.min(given.replicas, processes.size - 1)
  const kept = [...topology.stateful].reduce((sum, id) => sum + topology.taskCounts.get(id)!, 0)
  expect(standbys).toHaveLength(kept * copies)
}

test("every task is active once, and its standbys are in other processes, as many as there is room for", () => {
  fc.assert(
    fc.property(givens, (given) => {
      const members = membersOf(given)
      check(given, members, assignTasks(members, topologyOf(given), given.replicas))
    }),
  )
})

test("without standbys a member of one-thread processes has its share, and one more at most", () => {
  fc.assert(
    fc.property(givens, fc.integer({ min: 1, max: 6 }), (given, size) => {
      const even = { ...given, processes: Array.from({ length: size }, (_, at) => at) }
      const assigned = assignTasks(membersOf(even), topologyOf(even), 0)
      const sizes = [...assigned.values()].map(({ active }) => sizeOf(active))
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})

test("members come and go: what is assigned stays right, whatever was before", () => {
  fc.assert(
    fc.property(givens, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 }), (given, later) => {
      const before = assignTasks(membersOf(given), topologyOf(given), given.replicas)
      const after = { ...given, processes: later }
      const members = membersOf(after, before)
      check(after, members, assignTasks(members, topologyOf(after), after.replicas))
    }),
  )
})

test("active tasks stay where they are when nothing has changed and nobody has too many", () => {
  fc.assert(
    fc.property(givens, fc.integer({ min: 1, max: 6 }), (given, size) => {
      const even = { ...given, processes: Array.from({ length: size }, (_, at) => at) }
      const once = assignTasks(membersOf(even), topologyOf(even), 0)
      expect(assignTasks(membersOf(even, once), topologyOf(even), 0)).toEqual(once)
    }),
  )
})
