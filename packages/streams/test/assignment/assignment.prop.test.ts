/**
 * Who gets which task, and who keeps copies: every task once, evenly, as few moves as possible, and copies where they help.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import {
  type AssignedMember,
  type AssignedTask,
  type Assignment,
  type AssignmentRules,
  assignTasks,
  awaitedMembers,
  withholdMoving,
} from "../../src/assignment/assignment.ts"
import { RULES } from "./rules.ts"

const RECORDS = 1_000

interface Given {
  readonly tasks: readonly AssignedTask[]
  readonly members: readonly AssignedMember[]
  readonly rules: AssignmentRules
}

const scenario: fc.Arbitrary<Given> = fc
  .record({
    stateful: fc.nat(14),
    stateless: fc.nat(8),
    /** Worker threads of each process. */
    processes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5 }),
    rules: fc.record({
      standbyReplicas: fc.nat(2),
      maxWarmupReplicas: fc.integer({ min: 1, max: 4 }),
      rackAwareAssignmentStrategy: fc.constantFrom("none", "min-traffic", "balance-subtopology"),
      rackAwareAssignmentNonOverlapCost: fc.constantFrom(0, 1, 25),
    }),
  })
  .chain(({ stateful, stateless, processes, rules }) => {
    const tasks = Array.from({ length: stateful + stateless }, (_, at) => ({
      name: `t${at}`,
      subtopology: at % 3,
      isStateful: at < stateful,
      stateRecords: at < stateful ? RECORDS : 0,
    }))
    const rack = fc.constantFrom("r0", "r1", "r2")
    const racks = fc.array(rack, { minLength: 2, maxLength: 2 })
    const workers = processes.flatMap((count, process) => Array.from({ length: count }, (_, at) => ({ process, at })))
    const places = (max: number) => fc.array(fc.nat(max), { minLength: tasks.length, maxLength: tasks.length })
    return fc
      .record({
        /** Who runs each task now; one past the last is nobody. */
        runs: places(workers.length),
        /** A process that has some of its state, and how much that lacks. */
        stores: places(processes.length),
        lags: places(RECORDS),
        /** Of each process; and where the leaders are of what each task reads. */
        stands: fc.array(rack, { minLength: processes.length, maxLength: processes.length }),
        leaders: fc.array(racks, { minLength: tasks.length, maxLength: tasks.length }),
      })
      .map(({ runs, stores, lags, stands, leaders }) => ({
        tasks: tasks.map((task, at) => ({
          ...task,
          inputRacks: leaders[at]!,
          changelogRacks: leaders[at]!.slice(0, task.isStateful ? 1 : 0),
        })),
        rules: { ...RULES, ...rules },
        members: workers.map(({ process, at }, index) => ({
          id: `m${process}-${at}`,
          stableName: `m${process}-${at}`,
          processId: `p${process}`,
          tags: {},
          rack: stands[process]!,
          running: tasks.filter((_, task) => runs[task] === index).map(({ name }) => name),
          standing: [],
          lags: new Map(
            tasks
              .map(({ name, isStateful }, task) => ({ name, isStateful, task }))
              .filter(({ isStateful, task }) => isStateful && stores[task] === process)
              .map(({ name, task }) => [name, lags[task]!] as const),
          ),
        })),
      }))
  })

const all = (map: ReadonlyMap<string, readonly string[]>) => [...map.values()].flat().sort()
const processOf = (given: Given, id: string) => given.members.find((member) => member.id === id)!.processId
const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts)

/** The group after an assignment came into force: copies have read everything, as have those who gave a task up. */
function settle(given: Given, { active, standby }: Assignment): Given {
  return {
    ...given,
    members: given.members.map((member) => {
      const standing = standby.get(member.id)!
      const before = new Map([...member.lags, ...member.running.map((task) => [task, 1] as const)])
      return {
        ...member,
        running: active.get(member.id)!,
        standing,
        lags: new Map([...before, ...standing.map((task) => [task, 0] as const)]),
      }
    }),
  }
}

const assign = ({ tasks, members, rules }: Given) => assignTasks(tasks, members, rules)

test("R2: every task has exactly one owner", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      expect(all(assign(given).active)).toEqual(given.tasks.map(({ name }) => name).sort())
    }),
  )
})

test("R2 S7: copies stand in processes that do not run the task, one in each, and only of tasks with state", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const { active, standby, warmup } = assign(given)
      const holders = new Map<string, string[]>()
      for (const kind of [active, standby]) {
        for (const [id, tasks] of kind) {
          for (const task of tasks) holders.set(task, [...(holders.get(task) ?? []), processOf(given, id)])
        }
      }
      const processes = new Set(given.members.map(({ processId }) => processId)).size
      const warming = new Set(all(warmup))
      for (const { name, isStateful } of given.tasks) {
        const at = holders.get(name)!
        expect(new Set(at).size).toBe(at.length)
        const copies = isStateful ? Math.min(given.rules.standbyReplicas, processes - 1) : 0
        // One that warms up comes on top, where there is a process left for it.
        expect(at.length - 1).toBeGreaterThanOrEqual(copies)
        expect(at.length - 1).toBeLessThanOrEqual(warming.has(name) ? copies + 1 : copies)
      }
      expect(warming.size).toBeLessThanOrEqual(given.rules.maxWarmupReplicas)
    }),
  )
})

test("R2: no copy could stand with a member that has two fewer", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const { active, standby, warmup } = assign(given)
      const copies = new Map(
        [...standby].map(([id, tasks]) => [id, tasks.filter((one) => !warmup.get(id)!.includes(one))]),
      )
      for (const [from, tasks] of copies) {
        for (const name of tasks) {
          const takenBy = [...active, ...standby].filter(([id, list]) => id !== from && list.includes(name))
          const taken = new Set(takenBy.map(([id]) => processOf(given, id)))
          for (const [to, list] of copies) {
            if (to === from || taken.has(processOf(given, to))) continue
            expect(list.length + 1).toBeGreaterThanOrEqual(tasks.length)
          }
        }
      }
    }),
  )
})

test("R2 S7: a task runs where least is to be read, or nearly so", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const { active } = assign(given)
      const lagAt = (processId: string, task: string) => {
        const of = given.members.filter((member) => member.processId === processId)
        if (of.some(({ running }) => running.includes(task))) return 0
        return Math.min(RECORDS, ...of.map(({ lags }) => lags.get(task) ?? RECORDS))
      }
      for (const { name, isStateful } of given.tasks) {
        if (!isStateful) continue
        const [owner] = [...active].find(([, tasks]) => tasks.includes(name))!
        const least = Math.min(...given.members.map(({ processId }) => lagAt(processId, name)))
        const lag = lagAt(processOf(given, owner), name)
        expect(lag).toBeLessThanOrEqual(
          Math.max(given.rules.acceptableRecoveryLag, least + given.rules.acceptableRecoveryLag),
        )
      }
    }),
  )
})

/** Assigns again and again, in the cooperative way, until nothing changes; answers the last assignment. */
function converge(given: Given): { readonly assignment: Assignment; readonly group: Given; readonly rounds: number } {
  let group = given
  const bound = 3 + 2 * Math.ceil(given.tasks.length / given.rules.maxWarmupReplicas)
  for (let rounds = 1; ; rounds++) {
    expect(rounds).toBeLessThanOrEqual(bound)
    const wanted = assign(group)
    const assignment = withholdMoving(wanted, group.members)
    const next = settle(group, assignment)
    const awaited = awaitedMembers(wanted.active, group.members)
    if (awaited.size === 0 && all(assignment.warmup).length === 0) return { assignment, group: next, rounds }
    group = next
  }
}

test("R2: once copies have warmed up, tasks are spread evenly, those with state too", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const { assignment } = converge(given)
      const stateful = new Set(given.tasks.filter(({ isStateful }) => isStateful).map(({ name }) => name))
      const held = [...assignment.active.values()]
      expect(held.flat().length).toBe(given.tasks.length)
      expect(spread(held.map((tasks) => tasks.length))).toBeLessThanOrEqual(1)
      expect(spread(held.map((tasks) => tasks.filter((task) => stateful.has(task)).length))).toBeLessThanOrEqual(1)
    }),
  )
})

test("R2: a group that has settled is left as it is, copies included", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const { assignment, group } = converge(given)
      const { active, standby } = assign(group)
      const sorted = (map: ReadonlyMap<string, readonly string[]>) =>
        [...map].map(([id, tasks]) => [id, tasks.toSorted()])
      expect(sorted(active)).toEqual(sorted(assignment.active))
      expect(sorted(standby)).toEqual(sorted(assignment.standby))
    }),
  )
})

test("R2 S7: when a member goes, every task with a copy runs where that was, at once", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const rules = { ...given.rules, standbyReplicas: 1 }
      const { assignment, group } = converge({ ...given, rules })
      const gone = group.members[0]!.processId
      const left = group.members.filter(({ processId }) => processId !== gone)
      fc.pre(left.length > 0)
      const stateful = new Set(given.tasks.filter(({ isStateful }) => isStateful).map(({ name }) => name))
      const { active } = assignTasks(given.tasks, left, rules)
      for (const member of group.members.filter(({ processId }) => processId === gone)) {
        for (const task of assignment.active.get(member.id)!.filter((name) => stateful.has(name))) {
          const [owner] = [...active].find(([, tasks]) => tasks.includes(task))!
          const lags = left
            .filter(({ processId }) => processId === processOf(given, owner))
            .map(({ lags: of }) => of.get(task))
          expect(lags.some((lag) => lag !== undefined && lag <= rules.acceptableRecoveryLag)).toBe(true)
        }
      }
    }),
  )
})

test("R2: nothing that may stay moves: a member keeps what it runs up to its share", () => {
  fc.assert(
    fc.property(scenario, ({ rules, ...rest }) => {
      const given = { ...rest, rules: { ...rules, rackAwareAssignmentStrategy: "none" as const } }
      const { active } = assign(given)
      const least = Math.floor(given.tasks.filter(({ isStateful }) => isStateful).length / given.members.length)
      const stateful = new Set(given.tasks.filter(({ isStateful }) => isStateful).map(({ name }) => name))
      for (const { id, running } of given.members) {
        const before = running.filter((task) => stateful.has(task))
        const kept = before.filter((task) => active.get(id)!.includes(task)).length
        expect(kept).toBeGreaterThanOrEqual(Math.min(before.length, least))
      }
    }),
  )
})

test("R4: a task moves in two steps: first its runner gives it up, then the other gets it", () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const wanted = assign(given)
      const first = withholdMoving(wanted, given.members)
      const runner = new Map(given.members.flatMap(({ id, running }) => running.map((task) => [task, id] as const)))
      for (const [id, tasks] of first.active) for (const task of tasks) expect(runner.get(task) ?? id).toBe(id)
      for (const [id, tasks] of first.standby) {
        for (const task of tasks) {
          const at = runner.get(task)
          // In a process that runs the task a copy opens only after the same member has given it up.
          if (at !== undefined && at !== id && processOf(given, at) === processOf(given, id)) {
            expect(wanted.standby.get(id)).toContain(task)
          }
        }
      }
      // Somebody is awaited exactly when something is withheld: without a next round it would be nobody's for good.
      const withheld = [...wanted.active].filter(([id, tasks]) => first.active.get(id)!.length < tasks.length)
      expect(awaitedMembers(wanted.active, given.members).size > 0).toBe(withheld.length > 0)
    }),
  )
})

const member = (id: string, more: Partial<AssignedMember> = {}): AssignedMember => ({
  id,
  stableName: id,
  processId: id,
  tags: {},
  rack: undefined,
  running: [],
  standing: [],
  lags: new Map(),
  ...more,
})
const task = (name: string, inputRacks: string[] = []): AssignedTask => ({
  name,
  subtopology: 0,
  isStateful: true,
  stateRecords: RECORDS,
  inputRacks,
  changelogRacks: inputRacks,
})
const plain = ({ active, standby, warmup }: Assignment) => ({
  active: Object.fromEntries(active),
  standby: Object.fromEntries(standby),
  warmup: Object.fromEntries(warmup),
})

test("S7: the active task moves only when the new owner lacks little", () => {
  const tasks = [task("a"), task("b")]
  const rules = { ...RULES, standbyReplicas: 0 }
  const old = member("x", { running: ["a", "b"] })
  expect(plain(assignTasks(tasks, [old, member("y")], rules))).toEqual({
    active: { x: ["a", "b"], y: [] },
    standby: { x: [], y: ["b"] },
    warmup: { x: [], y: ["b"] },
  })
  const warm = member("y", { standing: ["b"], lags: new Map([["b", 100]]) })
  expect(plain(assignTasks(tasks, [old, warm], rules)).active).toEqual({ x: ["a"], y: ["b"] })
  const nearly = member("y", { standing: ["b"], lags: new Map([["b", 101]]) })
  expect(plain(assignTasks(tasks, [old, nearly], rules)).active).toEqual({ x: ["a", "b"], y: [] })
})

test("R3: copies stand on other racks than the active task and each other (KIP-708)", () => {
  const at = (id: string, zone: string, cluster: string) => member(id, { tags: { zone, cluster } })
  const members = [
    { ...at("a", "z1", "c1"), running: ["t"] },
    at("b", "z1", "c1"),
    at("c", "z1", "c2"),
    at("d", "z2", "c1"),
    at("e", "z2", "c2"),
    at("f", "z3", "c3"),
  ]
  const standbysOf = (rackAwareAssignmentTags: string[], standbyReplicas: number) => {
    const { standby } = assignTasks([task("t")], members, { ...RULES, standbyReplicas, rackAwareAssignmentTags })
    return [...standby].filter(([, tasks]) => tasks.length > 0).map(([id]) => id)
  }
  expect(standbysOf(["zone", "cluster"], 2)).toEqual(["e", "f"])
  expect(standbysOf(["zone"], 2)).toEqual(["d", "f"])
  expect(standbysOf(["cluster"], 1)).toEqual(["c"])
  // Where racks do not suffice, copies stand all the same.
  expect(standbysOf(["zone"], 4)).toHaveLength(4)
})
