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

/** What a process of another version of this library would tell. */
const speaking = (bytes: Uint8Array, more: Readonly<Record<string, unknown>>): Uint8Array =>
  Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(bytes).toString("utf8")), ...more }))

const joining = (
  started: Started,
  id: string,
  more: Readonly<Record<string, unknown>>,
  owned: readonly number[] = [],
) => {
  const member = join(started, id, owned)
  return { ...member, userData: speaking(member.userData!, more) }
}

/** Newer, and understood by those of now; or not. */
const NEWER = { v: 4, since: 3, mood: "good" }
const STRANGE = { v: 9, since: 9 }

test("O7: processes of a newer version are understood, and understand", async () => {
  const a = start("a")
  const assigned = await a.assignor.assign(cluster, [join(a, "ma"), joining(start("b"), "mb", NEWER)])
  expect(partitionsOf(assigned)).toEqual({ ma: [0, 2], mb: [1, 3] })
  const told: unknown[] = []
  const older = start("b", { onNotice: (notice) => told.push(notice) })
  const { partitions, userData } = assigned.get("mb")!
  older.assignor.onAssignment!(partitions, speaking(userData!, NEWER), 1)
  expect(told).toMatchObject([{ awaited: false, standby: [], endpoints: {} }])
})

test("O7: a newcomer that is not understood is refused by name, and the others keep what they have", async () => {
  const a = start("a")
  const first = await a.assignor.assign(cluster, [join(a, "ma")])
  a.assignor.onAssignment!(first.get("ma")!.partitions, first.get("ma")!.userData!, 1)
  const assigned = await a.assignor.assign(cluster, [join(a, "ma", [0, 1, 2, 3]), joining(start("b"), "mb", STRANGE)])
  expect(partitionsOf(assigned)).toEqual({ ma: [0, 1, 2, 3], mb: [] })
  const notice = JSON.parse(Buffer.from(assigned.get("mb")!.userData!).toString("utf8"))
  expect(notice.refused).toBe(
    'application "app": process b speaks version 9 of the assignor, and this process version 3, which leads: ' +
      "stop the others first, or give this one its own applicationId",
  )
})

test("O7: a newcomer that leads and does not understand the others ends before it decides anything", async () => {
  const a = start("a")
  const members = [join(a, "ma"), joining(start("b"), "mb", STRANGE, [0, 1, 2, 3])]
  await expect(a.assignor.assign(cluster, members)).rejects.toThrow(
    'application "app": process b speaks version 9 of the assignor, and this process version 3: stop the others first',
  )
})

test("O7: what a leader tells that is not understood ends the run by name", async () => {
  const a = start("a")
  const { partitions, userData } = (await a.assignor.assign(cluster, [join(a, "ma")])).get("ma")!
  expect(() => a.assignor.onAssignment!(partitions, speaking(userData!, STRANGE), 1)).toThrow(
    "the group's leader speaks version 9 of the assignor, and this process version 3: stop the others first",
  )
  expect(() => a.assignor.onAssignment!(partitions, speaking(userData!, { v: 2, since: 2 }), 1)).toThrow(/version 2/)
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
