/**
 * The group's leader: what it makes of members and of what the cluster tells.
 */
import type { AssignorCluster, GroupMember, MemberAssignment } from "@millrace/client"
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { type StreamsAssignorOptions, streamsAssignor } from "../../src/run/assignor.ts"
import { resolveRunOptions } from "../../src/run/options.ts"

const PARTITIONS = 4
const pipeline = S.pipeline("app", () =>
  S.stream(S.topic("in", { key: string, value: string })).pipe(
    S.count("words"),
    S.toStream(),
    S.to(S.topic("out", { key: string, value: json<number>() })),
  ),
)
const topology = S.makeTopology(pipeline.plan, "app")
const rules = (more: Partial<S.RunOptions> = {}) =>
  resolveRunOptions("app", { host: {} as never, brokers: "b:1", ...more })

/** Brokers 1 and 2 lead every other partition of every topic, on racks of their own. */
const cluster: AssignorCluster = {
  partitionCount: () => PARTITIONS,
  partitions: () =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({
      partition,
      leader: 1 + (partition % 2),
      leaderEpoch: 0,
      replicas: [1, 2],
      isr: [1, 2],
      error: 0,
    })),
  rack: (nodeId) => `r${nodeId}`,
  load: async () => {},
}

interface Started {
  readonly assignor: ReturnType<typeof streamsAssignor>
  readonly lines: string[]
}

function start(processId: string, more: Partial<StreamsAssignorOptions> = {}): Started {
  const lines: string[] = []
  const assignor = streamsAssignor({
    topology,
    partitions: new Map([["in", PARTITIONS]]),
    processId,
    worker: 0,
    rules: rules(),
    custom: undefined,
    log: (line) => void lines.push(line),
    tags: {},
    positions: () => ({}),
    standing: () => [],
    readableEnds: async () => new Map(),
    onAwaited: () => {},
    onNotice: () => {},
    ...more,
  })
  return { assignor, lines }
}

const join = (
  { assignor }: Started,
  id: string,
  owned: readonly number[] = [],
  rackId: string | null = null,
): GroupMember => ({
  memberId: id,
  groupInstanceId: null,
  topics: ["in"],
  userData: assignor.subscriptionUserData!(["in"], { partitions: [], generation: -1 }),
  ownedPartitions: owned.map((partition) => ({ topic: "in", partition })),
  generationId: -1,
  rackId,
})

const partitionsOf = (assigned: ReadonlyMap<string, MemberAssignment>) =>
  Object.fromEntries([...assigned].map(([id, { partitions }]) => [id, partitions.map((one) => one.partition)]))

test("R6: with min-traffic tasks go to the rack that leads what they read, and stay where it is not asked for", async () => {
  const weighed = rules({ rackAwareAssignmentStrategy: "min-traffic", clientRack: "r1" })
  const a = start("a", { rules: weighed })
  const b = start("b", { rules: weighed })
  const members = () => [join(a, "ma", [], "r2"), join(b, "mb", [], "r1")]
  expect(partitionsOf(await a.assignor.assign(cluster, members()))).toEqual({ ma: [1, 3], mb: [0, 2] })
  expect(a.lines).toEqual([])
  const plain = start("a")
  expect(partitionsOf(await plain.assignor.assign(cluster, members()))).toEqual({ ma: [0, 2], mb: [1, 3] })
})

test("R6: a process that tells no rack is named, and nothing is weighed", async () => {
  const weighed = rules({ rackAwareAssignmentStrategy: "min-traffic", clientRack: "r1" })
  const a = start("a", { rules: weighed })
  const members = [join(a, "ma", [], "r2"), join(start("b"), "mb")]
  expect(partitionsOf(await a.assignor.assign(cluster, members))).toEqual({ ma: [0, 2], mb: [1, 3] })
  expect(a.lines).toEqual(["traffic between racks is not weighed: process b tells no clientRack"])
})

test("R6: an assignor of one's own is told all that the leader knows", async () => {
  const seen: S.ApplicationState[] = []
  const custom: S.TaskAssignor = {
    name: "mine",
    assign(state) {
      seen.push(state)
      return state.builtIn()
    },
  }
  const readableEnds = async () =>
    new Map(Array.from({ length: PARTITIONS }, (_, at) => [`app-words-changelog-${at}`, 50]))
  const a = start("a", {
    custom,
    readableEnds,
    tags: { zone: "z" },
    endpoint: "a:80",
    positions: () => ({ "0_3": 40 }),
  })
  const b = start("b", { custom })
  await a.assignor.assign(cluster, [join(a, "ma", [0, 1], "r2"), join(b, "mb")])
  const [state] = seen
  expect([...state!.tasks.keys()]).toEqual(["0_0", "0_1", "0_2", "0_3"])
  expect(state!.tasks.get("0_1")).toEqual({
    name: "0_1",
    id: { subtopology: 0, partition: 1 },
    isStateful: true,
    stores: ["words"],
    inputs: [{ topic: "in", partition: 1, leaderRack: "r2", racks: ["r1", "r2"] }],
    changelogs: [{ topic: "app-words-changelog", partition: 1, leaderRack: "r2", racks: ["r1", "r2"] }],
    stateRecords: 50,
  })
  expect(state!.processes.get("a")).toEqual({
    processId: "a",
    workers: 1,
    rack: "r2",
    tags: { zone: "z" },
    endpoint: "a:80",
    active: ["0_0", "0_1"],
    standby: [],
    lags: new Map([
      ["0_0", 0],
      ["0_1", 0],
      ["0_2", 50],
      ["0_3", 10],
    ]),
  })
  expect(state!.processes.get("b")).toMatchObject({ rack: undefined, endpoint: undefined, active: [] })
  expect(state!.rules).toEqual({
    standbyReplicas: 0,
    acceptableRecoveryLag: 10_000,
    maxWarmupReplicas: 2,
    rackAwareAssignmentTags: [],
    rackAwareAssignmentStrategy: "none",
    rackAwareAssignmentTrafficCost: 10,
    rackAwareAssignmentNonOverlapCost: 1,
  })
})

test("R6: whichever process leads, its assignor is asked only when all name the same", async () => {
  const all = (name: string): S.TaskAssignor => ({
    name,
    assign: ({ tasks, processes }) =>
      new Map([...processes.keys()].map((id) => [id, { active: id === "b" ? [...tasks.keys()] : [] }])),
  })
  const a = start("a", { custom: all("mine") })
  const assign = async (other: Started) =>
    partitionsOf(await a.assignor.assign(cluster, [join(a, "ma"), join(other, "mb")]))
  expect(await assign(start("b", { custom: all("mine") }))).toEqual({ ma: [], mb: [0, 1, 2, 3] })
  expect(a.lines).toEqual([])
  expect(await assign(start("b", { custom: all("yours") }))).toEqual({ ma: [0, 2], mb: [1, 3] })
  expect(await assign(start("b"))).toEqual({ ma: [0, 2], mb: [1, 3] })
  const told = "the built-in assignor decides until all processes name one assignor: this one names "
  expect(a.lines).toEqual([`${told}"mine", process b names "yours"`, `${told}"mine", process b names none`])
  const plain = start("b")
  await plain.assignor.assign(cluster, [join(a, "ma"), join(plain, "mb")])
  expect(plain.lines).toEqual([`${told}none, process a names "mine"`])
})

test("R6: a member that was given its predecessor's assignment, and names another assignor, joins again", async () => {
  const custom: S.TaskAssignor = { name: "mine", assign: (state) => state.builtIn() }
  let joins = 0
  const told = async (before: Started, custom: S.TaskAssignor | undefined) => {
    const assigned = await before.assignor.assign(cluster, [join(before, "ma")])
    const { partitions, userData } = assigned.get("ma")!
    const after = start("a", { custom, onAwaited: () => void joins++ })
    after.assignor.onAssignment!(partitions, userData!, 1)
    return joins
  }
  expect(await told(start("a"), undefined)).toBe(0)
  expect(await told(start("a", { custom }), custom)).toBe(0)
  expect(await told(start("a"), custom)).toBe(1)
  expect(await told(start("a", { custom }), undefined)).toBe(2)
})

test.each<[string, Partial<S.RunOptions>, RegExp]>([
  ["an assignor without a name", { assignor: { name: "", assign: () => new Map() } }, /assignor: it needs a name/],
  ["a strategy without a rack", { rackAwareAssignmentStrategy: "min-traffic" }, /"min-traffic" needs clientRack/],
  [
    "a cost below 0",
    { rackAwareAssignmentTrafficCost: -1 },
    /rackAwareAssignmentTrafficCost -1: expected a whole number/,
  ],
  [
    "an assignor where the broker assigns",
    { groupProtocol: "streams", assignor: { name: "mine", assign: () => new Map() } },
    /assignor is the broker's to say with groupProtocol "streams": set streams.assignor.name of group "app"/,
  ],
  [
    "a strategy where the broker assigns",
    { groupProtocol: "streams", rackAwareAssignmentStrategy: "min-traffic", clientRack: "r1" },
    /rackAwareAssignmentStrategy is the broker's to say with groupProtocol "streams"/,
  ],
])("R6: %s is refused by name", (_, more, message) => {
  expect(() => rules(more)).toThrow(message)
})
