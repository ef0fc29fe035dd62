/**
 * Who gets which task: every task once, evenly, and as few as possible move.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import { type AssignedMember, assignTasks, awaitedMembers, withholdMoving } from "../../src/run/assignment.ts"

const names = (count: number, prefix: string) => Array.from({ length: count }, (_, at) => `${prefix}${at}`)
const scenario = fc
  .record({ tasks: fc.integer({ min: 0, max: 20 }), members: fc.integer({ min: 1, max: 6 }) })
  .chain(({ tasks, members }) =>
    fc.record({
      tasks: fc.constant(names(tasks, "t")),
      members: fc.constant(names(members, "m")),
      /** Who runs each task now; one past the last member is nobody. */
      runs: fc.array(fc.integer({ min: 0, max: members }), { minLength: tasks, maxLength: tasks }),
      stores: fc.array(fc.integer({ min: 0, max: members }), { minLength: tasks, maxLength: tasks }),
    }),
  )

function membersOf(given: typeof scenario extends fc.Arbitrary<infer T> ? T : never): AssignedMember[] {
  const of = (who: readonly number[], member: number) => given.tasks.filter((_, at) => who[at] === member)
  return given.members.map((id, at) => ({
    id,
    stableName: id,
    running: of(given.runs, at),
    stored: of(given.stores, at),
  }))
}

test("every task has exactly one owner, and loads differ by at most one", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const assigned = assignTasks(given.tasks, membersOf(given))
      expect([...assigned.values()].flat().sort()).toEqual([...given.tasks].sort())
      const loads = [...assigned.values()].map((tasks) => tasks.length)
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
    }),
  )
})

test("a balanced group is left as it is", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const first = assignTasks(given.tasks, membersOf(given))
      const settled = given.members.map((id) => ({ id, stableName: id, running: first.get(id)!, stored: [] }))
      expect(assignTasks(given.tasks, settled)).toEqual(first)
    }),
  )
})

test("nobody takes more from a member than balance asks for", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const members = membersOf(given)
      const assigned = assignTasks(given.tasks, members)
      const most = Math.ceil(given.tasks.length / members.length)
      for (const { id, running } of members) {
        const kept = running.filter((task) => assigned.get(id)!.includes(task)).length
        expect(kept).toBeGreaterThanOrEqual(Math.min(running.length, most - 1))
      }
    }),
  )
})

test("a task moves in two steps: first its runner gives it up, then the other gets it", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const members = membersOf(given)
      const assigned = assignTasks(given.tasks, members)
      const first = withholdMoving(assigned, members)
      const runner = new Map(members.flatMap(({ id, running }) => running.map((task) => [task, id] as const)))
      for (const [id, tasks] of first) for (const task of tasks) expect(runner.get(task) ?? id).toBe(id)
      // Somebody is awaited exactly when something is withheld: without a next round it would be nobody's for good.
      const withheld = [...assigned].filter(([id, tasks]) => first.get(id)!.length < tasks.length)
      expect(awaitedMembers(assigned, members).size > 0).toBe(withheld.length > 0)
      // What was withheld is free in the next round, which then changes nothing else.
      const next = given.members.map((id) => ({ id, stableName: id, running: first.get(id)!, stored: [] }))
      expect([...withholdMoving(assignTasks(given.tasks, next), next).values()].flat().sort()).toEqual(
        [...given.tasks].sort(),
      )
    }),
  )
})
