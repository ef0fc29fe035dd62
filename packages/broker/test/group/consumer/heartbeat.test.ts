/** Consumer groups by their rows: joining, revoking before assigning, lost answers, static members, leaving. */
import { ErrorCode } from "@millrace/protocol"
import type { ConsumerGroupHeartbeatResponse } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { expect, test } from "vitest"
import { Client, ConsumerHarness, settle, topicIdOf, topicNameOf } from "./consumer-harness.ts"

const topic = (name: string, ...partitions: number[]) => ({ topicId: topicIdOf(name), partitions })
const code = ErrorCode
const assigned = ({ assignment }: ConsumerGroupHeartbeatResponse) =>
  assignment?.topicPartitions.map(({ topicId }) => topicNameOf(topicId))

test.each([
  ["the group id is empty", { groupId: "" }],
  ["the group id is empty", { groupId: " " }],
  ["the member id is empty", { memberId: "" }],
  ["the instance id is empty", { instanceId: " " }],
  ["the rack id is empty", { rackId: " " }],
  ["who joins gives its rebalance timeout", { rebalanceTimeoutMs: -1 }],
  ["an empty list says so", { topicPartitions: null }],
  ["an empty list says so", { topicPartitions: [topic("t", 0)] }],
  ["subscribes to names or to an expression", { subscribedTopicNames: null }],
  ["there is no member epoch -3", { memberEpoch: -3 }],
  ["a dynamic member leaves with epoch -1", { memberEpoch: -2 }],
])("88: a first heartbeat is refused: %s", (message, beat) => {
  const harness = new ConsumerHarness({ t: 4 })
  const answer = harness.join("m", beat)
  expect(answer.errorCode).toBe(code.INVALID_REQUEST)
  expect(answer.errorMessage).toContain(message)
})

test("88: before version 1 the broker chooses the id of a member that has none", () => {
  const answer = new ConsumerHarness({ t: 1 }).join("", { memberId: "", apiVersion: 0 })
  expect([answer.errorCode, answer.memberId]).toEqual([code.NONE, "fresh"])
})

test("91: the first answer has everything; then the assignment is null until it changes", () => {
  const harness = new ConsumerHarness({ t: 2 })
  expect(harness.join("m")).toMatchObject({
    errorCode: code.NONE,
    memberEpoch: 1,
    heartbeatIntervalMs: 5000,
    assignment: { topicPartitions: [topic("t", 0, 1)] },
  })
  const quiet = harness.beat({ memberEpoch: 1 })
  expect([quiet.memberEpoch, quiet.heartbeatIntervalMs, quiet.assignment]).toEqual([1, 5000, null])
  // A full request is answered in full.
  const full = {
    memberEpoch: 1,
    rebalanceTimeoutMs: 60_000,
    subscribedTopicNames: ["t"],
    topicPartitions: [topic("t", 0, 1)],
  }
  expect(harness.beat(full).assignment).toEqual({ topicPartitions: [topic("t", 0, 1)] })
})

test("90: a partition goes to its new owner after the old one has given it up, and not before", () => {
  const harness = new ConsumerHarness({ t: 4 })
  const a = new Client(harness, "a").join()
  expect(a.partitions).toEqual({ t: [0, 1, 2, 3] })
  const b = harness.join("b")
  expect(b).toMatchObject({ memberEpoch: 2, assignment: { topicPartitions: [] } })
  // Told to give up two, it stays at its epoch; a heartbeat without a report changes nothing.
  const told = harness.beat({ memberId: "a", memberEpoch: 1 })
  expect(told).toMatchObject({ memberEpoch: 1, assignment: { topicPartitions: [topic("t", 0, 1)] } })
  expect(harness.beat({ memberId: "a", memberEpoch: 1 })).toMatchObject({ memberEpoch: 1, assignment: null })
  expect(harness.beat({ memberId: "b", memberEpoch: 2 }).assignment).toBeNull()
  expect(harness.describe().groupState).toBe("Reconciling")
  // It reports: its epoch rises, and the other one gets them.
  expect(harness.beat({ memberId: "a", memberEpoch: 1, topicPartitions: [topic("t", 0, 1)] }).memberEpoch).toBe(2)
  expect(harness.beat({ memberId: "b", memberEpoch: 2 }).assignment).toEqual({ topicPartitions: [topic("t", 2, 3)] })
  expect(harness.describe()).toMatchObject({ groupState: "Stable", groupEpoch: 2, assignmentEpoch: 2 })
})

test("89: a member whose answer was lost is told again; other wrong epochs are fenced", () => {
  const harness = new ConsumerHarness({ t: 2 })
  harness.join("a")
  harness.join("b")
  harness.beat({ memberId: "a", memberEpoch: 1 })
  const answer = harness.beat({ memberId: "a", memberEpoch: 1, topicPartitions: [topic("t", 0)] })
  expect(answer.memberEpoch).toBe(2)
  // The answer did not arrive: the same heartbeat comes again.
  const again = harness.beat({ memberId: "a", memberEpoch: 1, topicPartitions: [topic("t", 0)] })
  expect(again).toMatchObject({
    errorCode: code.NONE,
    memberEpoch: 2,
    assignment: { topicPartitions: [topic("t", 0)] },
  })
  const fenced = (memberEpoch: number, topicPartitions: ReturnType<typeof topic>[] | null) =>
    harness.beat({ memberId: "a", memberEpoch, topicPartitions }).errorCode
  expect(fenced(3, [])).toBe(code.FENCED_MEMBER_EPOCH)
  expect(fenced(1, null)).toBe(code.FENCED_MEMBER_EPOCH)
  expect(fenced(1, [topic("t", 0, 1)])).toBe(code.FENCED_MEMBER_EPOCH)
})

test("89: a known member may start over with epoch 0", () => {
  const harness = new ConsumerHarness({ t: 2 })
  harness.join("m")
  expect(harness.join("m")).toMatchObject({ memberEpoch: 1, assignment: { topicPartitions: [topic("t", 0, 1)] } })
  expect(harness.group().members.size).toBe(1)
})

test("89, 97: who leaves frees what it had; the last one leaves an empty group behind, assigned in its epoch", () => {
  const harness = new ConsumerHarness({ t: 2 })
  const [a, b] = [new Client(harness, "a").join(), new Client(harness, "b").join()]
  settle([a, b])
  a.leave()
  settle([b])
  expect(b.partitions).toEqual({ t: [0, 1] })
  b.leave()
  const empty = harness.describe()
  expect(empty).toMatchObject({ errorCode: code.NONE, groupState: "Empty", members: [] })
  expect(empty.assignmentEpoch).toBe(empty.groupEpoch)
  expect(harness.beat({ memberId: "a", memberEpoch: 1 }).errorCode).toBe(code.UNKNOWN_MEMBER_ID)
})

test("92: a static member that stepped aside gets its place back under a new id", () => {
  const harness = new ConsumerHarness({ t: 4 })
  harness.join("a1", { instanceId: "a" })
  harness.join("b", {})
  settle([new Client(harness, "b").join()])
  const static1 = { memberId: "a1", instanceId: "a" }
  harness.beat({ ...static1, memberEpoch: 1 })
  harness.beat({ ...static1, memberEpoch: 1, topicPartitions: [topic("t", 0, 1)] })
  expect(harness.join("a2", { instanceId: "a" }).errorCode).toBe(code.UNRELEASED_INSTANCE_ID)
  expect(harness.beat({ ...static1, memberEpoch: -2 })).toMatchObject({ errorCode: code.NONE, memberEpoch: -2 })
  const { groupEpoch } = harness.group()
  const back = harness.join("a2", { instanceId: "a" })
  expect(back).toMatchObject({
    errorCode: code.NONE,
    memberEpoch: 2,
    assignment: { topicPartitions: [topic("t", 0, 1)] },
  })
  expect(harness.group().groupEpoch, "nothing moved").toBe(groupEpoch)
  expect(harness.beat({ ...static1, memberEpoch: 2 }).errorCode).toBe(code.FENCED_INSTANCE_ID)
})

test("94: a regular expression stands for the topics that match it whole, new ones too", () => {
  const harness = new ConsumerHarness({ "a-1": 1, "a-2": 1, "b-a-3": 1 })
  const client = new Client(harness, "m").join({ subscribedTopicRegex: "a-.*" })
  expect(client.partitions).toEqual({ "a-1": [0], "a-2": [0] })
  harness.topics.set("a-4", 2)
  settle([client])
  expect(client.partitions).toEqual({ "a-1": [0], "a-2": [0], "a-4": [0, 1] })
  harness.topics.delete("a-1")
  settle([client])
  expect(client.partitions).toEqual({ "a-2": [0], "a-4": [0, 1] })
})

test("94: an expression does not match topics that the member may not see, until it may", () => {
  const harness = new ConsumerHarness({ "a-1": 1, "a-2": 1 })
  const hidden = new Set(["a-2"])
  const maySee = (name: string) => !hidden.has(name)
  const subscribedTopicRegex = "a-.*"
  const first = harness.join("m", { subscribedTopicRegex, maySee })
  expect(assigned(first)).toEqual(["a-1"])
  expect(harness.describe().members[0]).toMatchObject({ subscribedTopicRegex, subscribedTopicNames: [] })
  hidden.clear()
  hidden.add("a-1")
  harness.topics.version++
  const told = harness.beat({ memberId: "m", memberEpoch: first.memberEpoch, topicPartitions: [], maySee })
  expect(assigned(told)).toEqual(["a-2"])
})

test("94: who leaves takes nothing away from what others' expressions stand for", () => {
  const harness = new ConsumerHarness({ "a-1": 1, "b-1": 1 })
  const [a, b] = [
    new Client(harness, "a").join({ subscribedTopicRegex: "a-.*" }),
    new Client(harness, "b").join({ subscribedTopicRegex: "b-.*" }),
  ]
  settle([a, b])
  expect([...harness.group().regexes.keys()].sort()).toEqual(["a-.*", "b-.*"])
  harness.topics.set("a-2", 1)
  b.leave()
  expect([...harness.group().regexes.keys()]).toEqual(["a-.*"])
  settle([a])
  expect(a.partitions).toEqual({ "a-1": [0], "a-2": [0] })
})

test("94: an expression stands for no more than who is left may see once a member is gone that might see more", () => {
  const harness = new ConsumerHarness({ "a-1": 1, "a-2": 1 })
  const narrow = { memberId: "narrow", maySee: (name: string) => name === "a-1" }
  const subscribedTopicRegex = "a-.*"
  harness.join("narrow", { subscribedTopicRegex, ...narrow })
  harness.join("wide", { subscribedTopicRegex })
  expect(harness.group().regexes.get(subscribedTopicRegex)?.topics).toEqual(["a-1", "a-2"])
  harness.beat({ memberId: "wide", memberEpoch: -1 })
  expect(harness.beat({ ...narrow, memberEpoch: 1, topicPartitions: [] }).errorCode).toBe(code.NONE)
  expect(harness.group().regexes.get(subscribedTopicRegex)?.topics).toEqual(["a-1"])
  expect(harness.group().members.get("narrow")?.assigned).toEqual(new Map([[topicIdOf("a-1"), [0]]]))
})

test("94: topics that came while no expression could be evaluated are found as soon as one can", () => {
  const harness = new ConsumerHarness({ "a-1": 1 })
  const client = new Client(harness, "m").join({ subscribedTopicRegex: "a-.*" })
  harness.restart()
  harness.topics.set("a-2", 1)
  harness.isLoading = true
  settle([client])
  expect(client.partitions, "what was found before holds").toEqual({ "a-1": [0] })
  harness.isLoading = false
  settle([client])
  expect(client.partitions).toEqual({ "a-1": [0], "a-2": [0] })
})

test("94: an unknown assignor is refused by name; the one most members ask for assigns", () => {
  const harness = new ConsumerHarness({ t: 3, u: 3 })
  const refused = harness.join("m", { serverAssignor: "best" })
  expect(refused.errorCode).toBe(code.UNSUPPORTED_ASSIGNOR)
  expect(refused.errorMessage).toContain("uniform, range")
  const names = { subscribedTopicNames: ["t", "u"], serverAssignor: "range" }
  const clients = [new Client(harness, "a").join(names), new Client(harness, "b").join(names)]
  settle(clients)
  expect(harness.describe().assignorName).toBe("range")
  expect(clients.map(({ partitions }) => partitions)).toEqual([
    { t: [0, 1], u: [0, 1] },
    { t: [2], u: [2] },
  ])
})

test("95: who is silent for the session timeout is out, and so is who does not give partitions up in time", () => {
  const harness = new ConsumerHarness({ t: 2 })
  harness.join("a", { rebalanceTimeoutMs: 10_000 })
  const b = new Client(harness, "b").join()
  harness.beat({ memberId: "a", memberEpoch: 1 })
  for (let at = 0; at < 3; at++) {
    harness.advance(4_000)
    harness.beat({ memberId: "a", memberEpoch: 1 })
    b.beat()
  }
  expect(harness.beat({ memberId: "a", memberEpoch: 1 }).errorCode, "the rebalance timeout").toBe(
    code.UNKNOWN_MEMBER_ID,
  )
  settle([b])
  expect(b.partitions).toEqual({ t: [0, 1] })
  harness.advance(45_001)
  expect(harness.describe().members).toEqual([])
})

test("95: the settings of a group count from the next heartbeat on", () => {
  const harness = new ConsumerHarness({ t: 2 })
  expect(harness.join("a").heartbeatIntervalMs).toBe(5000)
  harness.own["consumer.heartbeat.interval.ms"] = 7000
  harness.own["consumer.session.timeout.ms"] = 50_000
  harness.advance(44_000)
  expect(harness.beat({ memberId: "a", memberEpoch: 1 }).heartbeatIntervalMs).toBe(7000)
  harness.advance(49_999)
  expect(harness.describe().members).toHaveLength(1)
  harness.advance(1)
  expect(harness.describe().members).toEqual([])
})

test("a group is the same after its coordinator moved, and goes on", () => {
  const harness = new ConsumerHarness({ t: 4 })
  const [a, b] = [new Client(harness, "a").join(), new Client(harness, "b").join()]
  a.beat()
  harness.restart()
  settle([a, b])
  expect([a.partitions, b.partitions]).toEqual([{ t: [0, 1] }, { t: [2, 3] }])
  harness.topics.set("t", 6)
  settle([a, b])
  expect(new Set([...a.partitions["t"]!, ...b.partitions["t"]!]).size).toBe(6)
  harness.restart()
  harness.advance(45_001)
  expect(harness.describe().groupState, "sessions start anew with the coordinator, and end").toBe("Empty")
})

test("a full group takes nobody", () => {
  const harness = new ConsumerHarness({ t: 1 }, { "group.consumer.max.size": 1 })
  harness.join("a")
  expect(harness.join("b").errorCode).toBe(code.GROUP_MAX_SIZE_REACHED)
})

test("a heartbeat whose records were refused changes nothing", () => {
  const harness = new ConsumerHarness({ t: 2 })
  harness.join("a")
  harness.joinInVain("b")
})
