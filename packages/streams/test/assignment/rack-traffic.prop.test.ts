/**
 * Tasks change places for less traffic between racks: never for more, as far as it pays, and without a count that changes.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import { activeTargets, type Targets } from "../../src/assignment/assign-active.ts"
import { assignStandbys } from "../../src/assignment/assign-standby.ts"
import { type AssignedMember, type AssignedTask, type AssignmentRules, Group } from "../../src/assignment/assignment.ts"
import { lessTraffic, trafficOf, weighsTraffic } from "../../src/assignment/rack-traffic.ts"
import { RULES as SOME_RULES } from "./rules.ts"

const RULES: AssignmentRules = { ...SOME_RULES, rackAwareAssignmentStrategy: "min-traffic" }

const RACKS = ["r0", "r1", "r2"]

interface Given {
  readonly tasks: readonly AssignedTask[]
  readonly members: readonly AssignedMember[]
  readonly rules: AssignmentRules
}

const member = (id: string, rack: string | undefined, running: readonly string[] = []): AssignedMember => ({
  id,
  stableName: id,
  processId: id.split(".")[0]!,
  tags: {},
  rack,
  running,
  standing: [],
  lags: new Map(),
})

const task = (name: string, racks: readonly string[], isStateful = true, subtopology = 0): AssignedTask => ({
  name,
  subtopology,
  isStateful,
  stateRecords: isStateful ? 1_000 : 0,
  inputRacks: racks,
  changelogRacks: isStateful ? racks.slice(0, 1) : [],
})

const scenario = (tasksMax: number): fc.Arbitrary<Given> =>
  fc
    .record({
      /** Worker threads of each process, and its rack. */
      processes: fc.array(fc.tuple(fc.integer({ min: 1, max: 2 }), fc.constantFrom(...RACKS)), {
        minLength: 1,
        maxLength: 4,
      }),
      kinds: fc.array(
        fc.record({
          leaders: fc.array(fc.constantFrom(...RACKS), { maxLength: 3 }),
          isStateful: fc.boolean(),
          subtopology: fc.nat(1),
          runs: fc.nat(8),
        }),
        { minLength: 1, maxLength: tasksMax },
      ),
      strategy: fc.constantFrom("min-traffic" as const, "balance-subtopology" as const),
      traffic: fc.constantFrom(0, 1, 10),
      move: fc.constantFrom(0, 1, 10, 100),
    })
    .map(({ processes, kinds, strategy, traffic, move }) => {
      const threads = processes.flatMap(([count, rack], process) =>
        Array.from({ length: count }, (_, at) => ({ id: `p${process}.${at}`, rack })),
      )
      return {
        tasks: kinds.map(({ leaders, isStateful, subtopology }, at) =>
          task(`t${at}`, leaders, isStateful, subtopology),
        ),
        members: threads.map(({ id, rack }, index) =>
          member(
            id,
            rack,
            kinds.flatMap(({ runs }, at) => (runs === index ? [`t${at}`] : [])),
          ),
        ),
        rules: {
          ...RULES,
          rackAwareAssignmentStrategy: strategy,
          rackAwareAssignmentTrafficCost: traffic,
          rackAwareAssignmentNonOverlapCost: move,
        },
      }
    })

interface Weighed {
  readonly group: Group
  readonly dealt: Targets
  readonly targets: Targets
}

function weigh({ tasks, members, rules }: Given): Weighed {
  const group = new Group(members, rules)
  const dealt = activeTargets(tasks, group)
  return { group, dealt, targets: lessTraffic(tasks, group, dealt) }
}

/** What a division costs by the rules: the definition, written out. */
function costOf({ tasks, rules }: Given, group: Group, dealt: Targets, processOf: (name: string) => string): number {
  return tasks
    .map((one) => {
      const processId = processOf(one.name)
      const traffic = trafficOf(one.inputRacks, group.rack(processId))
      const home = (group.runner(one.name) ?? dealt.get(one.name)!).processId
      return one.isStateful
        ? traffic * rules.rackAwareAssignmentTrafficCost +
            (processId === home ? 0 : rules.rackAwareAssignmentNonOverlapCost)
        : traffic
    })
    .reduce((sum, cost) => sum + cost, 0)
}

const counts = (targets: Targets, of: (name: string, member: AssignedMember) => string) =>
  [...targets]
    .map(([name, at]) => of(name, at))
    .sort()
    .join(" ")

test("R6: every member keeps as many tasks as it was dealt, of each kind, and of each sub-topology where asked for", () => {
  fc.assert(
    fc.property(scenario(16), (given) => {
      const { dealt, targets } = weigh(given)
      const kind = (name: string) => {
        const { isStateful, subtopology } = given.tasks.find((one) => one.name === name)!
        return given.rules.rackAwareAssignmentStrategy === "balance-subtopology"
          ? `${isStateful}${subtopology}`
          : `${isStateful}`
      }
      const ofKind = (name: string, at: AssignedMember) => `${at.id}:${kind(name)}`
      expect(counts(targets, ofKind)).toBe(counts(dealt, ofKind))
      expect([...targets.keys()].sort()).toEqual(given.tasks.map(({ name }) => name).sort())
    }),
  )
})

test("R6: it never costs more than what was dealt, nor more traffic where moves are free", () => {
  fc.assert(
    fc.property(scenario(16), (given) => {
      const { group, dealt, targets } = weigh(given)
      const cost = (which: Targets) => costOf(given, group, dealt, (name) => which.get(name)!.processId)
      expect(cost(targets)).toBeLessThanOrEqual(cost(dealt))
      if (given.rules.rackAwareAssignmentNonOverlapCost > 0 || given.rules.rackAwareAssignmentTrafficCost === 0) return
      const traffic = (which: Targets) =>
        given.tasks.reduce((sum, one) => sum + trafficOf(one.inputRacks, which.get(one.name)!.rack), 0)
      expect(traffic(targets)).toBeLessThanOrEqual(traffic(dealt))
    }),
  )
})

test("R6: no more tasks with state run elsewhere than they did, where moving one costs more than traffic is worth", () => {
  fc.assert(
    fc.property(scenario(16), ({ rules, ...rest }) => {
      const dear = { ...rules, rackAwareAssignmentTrafficCost: 10, rackAwareAssignmentNonOverlapCost: 1_000 }
      const { group, dealt, targets } = weigh({ ...rest, rules: dear })
      const away = (which: Targets) =>
        rest.tasks.filter(({ name, isStateful }) => {
          const runner = group.runner(name)
          return isStateful && runner !== undefined && which.get(name)!.processId !== runner.processId
        }).length
      expect(away(targets)).toBeLessThanOrEqual(away(dealt))
    }),
  )
})

test("R6: no other division with the same counts costs less", () => {
  fc.assert(
    fc.property(scenario(6), (given) => {
      const { group, dealt, targets } = weigh(given)
      const isApart = given.rules.rackAwareAssignmentStrategy === "balance-subtopology"
      const pools = Map.groupBy(given.tasks, (one) => `${one.isStateful}${isApart ? one.subtopology : ""}`)
      for (const tasks of pools.values()) {
        const cost = (processOf: (name: string) => string) => costOf({ ...given, tasks }, group, dealt, processOf)
        const places = tasks.map(({ name }) => dealt.get(name)!.processId)
        let least = Infinity
        for (const order of permutations(places)) {
          least = Math.min(
            least,
            cost((name) => order[tasks.findIndex((one) => one.name === name)]!),
          )
        }
        expect(cost((name) => targets.get(name)!.processId)).toBe(least)
      }
    }),
    { numRuns: 200 },
  )
})

function* permutations(items: readonly string[]): Generator<readonly string[]> {
  if (items.length <= 1) return yield items
  for (const first of new Set(items)) {
    const rest = items.toSpliced(items.indexOf(first), 1)
    for (const more of permutations(rest)) yield [first, ...more]
  }
}

test("R6: tasks come to the racks that they read from, round a ring where no two could change places", () => {
  const members = [member("a", "r0", ["x"]), member("b", "r1", ["y"]), member("c", "r2", ["z"])]
  const tasks = [task("x", ["r1"]), task("y", ["r2"]), task("z", ["r0"])]
  const { targets } = weigh({ tasks, members, rules: RULES })
  expect([...targets].map(([name, { id }]) => `${name} ${id}`)).toEqual(["x b", "y c", "z a"])
})

test("R6: nothing is weighed while a process tells no rack", () => {
  expect(weighsTraffic(new Group([member("a", "r0"), member("b", "r1")], RULES))).toBe(true)
  expect(weighsTraffic(new Group([member("a", "r0"), member("b", undefined)], RULES))).toBe(false)
  const none = { ...RULES, rackAwareAssignmentStrategy: "none" as const }
  expect(weighsTraffic(new Group([member("a", "r0")], none))).toBe(false)
})

test("R6: two copies change places where both together read less across racks, and tags differ no less", () => {
  const tasks = [task("x", ["r1"]), task("y", ["r0"])]
  const kept = (name: string) => ({ standing: [name], lags: new Map([[name, 0]]) })
  const place = (rules: Partial<AssignmentRules>) => {
    const members = [
      { ...member("m", "r2", ["x"]), tags: { zone: "z1" } },
      { ...member("n", "r2", ["y"]), tags: { zone: "z2" } },
      { ...member("a", "r0"), ...kept("x"), tags: { zone: "z2" } },
      { ...member("b", "r1"), ...kept("y"), tags: { zone: "z1" } },
    ]
    const group = new Group(members, { ...RULES, ...rules })
    const active = new Map(tasks.map(({ name }, at) => [name, members[at]!] as const))
    return Object.fromEntries(assignStandbys(tasks, group, { active, warming: new Map() }))
  }
  expect(place({})).toEqual({ a: ["y"], b: ["x"] })
  expect(place({ rackAwareAssignmentNonOverlapCost: 10 })).toEqual({ a: ["x"], b: ["y"] })
  expect(place({ rackAwareAssignmentStrategy: "none" })).toEqual({ a: ["x"], b: ["y"] })
  // A copy of x would be in the zone of x, for less traffic.
  expect(place({ rackAwareAssignmentTags: ["zone"] })).toEqual({ a: ["x"], b: ["y"] })
})
