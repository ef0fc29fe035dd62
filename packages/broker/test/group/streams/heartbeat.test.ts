/** Streams groups (KIP-1071): joining, topics, tasks that move, static members, leaving, committing. */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import type { JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { OffsetCommitResponse } from "@millrace/protocol/messages/offset-commit"
import { expect, test } from "vitest"
import { settle, simple, StreamsHarness, subtopology, Thread, topic, wordCount } from "./streams-harness.ts"

const tasks = (subtopologyId: string, ...partitions: number[]) => ({ subtopologyId, partitions })
const code = ErrorCode
const codes = (status: readonly { statusCode: number }[] | null) => status?.map(({ statusCode }) => statusCode)

const commit = (harness: StreamsHarness, memberId: string, epoch: number, partition: number) => {
  const token = harness.ask<OffsetCommitResponse>((token) => ({
    kind: "offset-commit",
    token,
    context: { apiVersion: 9, clientId: "client", clientHost: "/127.0.0.1" },
    request: {
      groupId: "g",
      memberId,
      groupInstanceId: null,
      generationIdOrMemberEpoch: epoch,
      retentionTimeMs: -1,
      topics: [
        {
          name: "t",
          topicId: ZERO_UUID,
          partitions: [
            {
              partitionIndex: partition,
              committedOffset: 1,
              committedLeaderEpoch: -1,
              committedMetadata: "",
              commitTimestamp: -1,
            },
          ],
        },
      ],
    },
  }))
  return harness.answer(token)!.topics[0]!.partitions[0]!.errorCode
}

test.each([
  ["the group id is empty", { groupId: "" }],
  ["the member id is empty", { memberId: "" }],
  ["the instance id is empty", { instanceId: "" }],
  ["who joins gives its rebalance timeout", { rebalanceTimeoutMs: -1 }],
  ["who joins has no tasks", { activeTasks: [tasks("0", 1)] }],
  ["who joins brings its topology", { topology: null }],
  ["there is no member epoch -3", { memberEpoch: -3 }],
  ["a dynamic member leaves with epoch -1", { memberEpoch: -2 }],
  ["the topology comes with the first heartbeat alone", { memberEpoch: 1 }],
  ["or of none", { standbyTasks: null }],
])("a first heartbeat is refused: %s", (message, beat) => {
  const answer = new StreamsHarness({ t: 4 }).join("m", beat)
  expect(answer.errorCode).toBe(code.INVALID_REQUEST)
  expect(answer.errorMessage).toContain(message)
})

test("the first answer has everything; then tasks are null until they change", () => {
  const harness = new StreamsHarness({ t: 2 })
  expect(harness.join("m")).toMatchObject({
    errorCode: code.NONE,
    memberEpoch: 2,
    heartbeatIntervalMs: 5000,
    status: [],
    activeTasks: [tasks("0", 0, 1)],
    standbyTasks: [],
    warmupTasks: [],
  })
  expect(harness.beat({ memberEpoch: 2 })).toMatchObject({ memberEpoch: 2, activeTasks: null, standbyTasks: null })
  expect(harness.describe()).toMatchObject({
    groupState: "Stable",
    groupEpoch: 2,
    assignmentEpoch: 2,
    assignorName: "sticky",
    topology: { epoch: 0, subtopologies: [{ subtopologyId: "0", sourceTopics: ["t"] }] },
  })
})

test("without its source topics a group is not ready; it is as soon as they are there", () => {
  const harness = new StreamsHarness({})
  const answer = harness.join("m")
  expect([codes(answer.status), answer.activeTasks]).toEqual([[1], []])
  expect(answer.status![0]!.statusDetail).toBe("Source topics t are missing.")
  expect(harness.describe().groupState).toBe("NotReady")
  harness.topics.set("t", 3)
  expect(harness.beat({ memberEpoch: answer.memberEpoch })).toMatchObject({ activeTasks: [tasks("0", 0, 1, 2)] })
  expect(harness.describe().groupState).toBe("Stable")
})

test("internal topics are asked for, with the partitions that their inputs give them", () => {
  const harness = new StreamsHarness({ t: 3 })
  const thread = new Thread(harness, "m").join({ topology: wordCount })
  expect(thread.active).toEqual({})
  expect(harness.missing.map(({ name, partitions }) => [name, partitions])).toEqual([
    ["words", 3],
    ["counts", 3],
  ])
  harness.createMissing()
  settle([thread])
  expect(thread.active).toEqual({ 0: [0, 1, 2], 1: [0, 1, 2] })
  expect(harness.missing).toEqual([])
  expect(harness.describe().topology!.subtopologies![1]).toMatchObject({
    repartitionSourceTopics: [{ name: "words", partitions: 3 }],
    stateChangelogTopics: [{ name: "counts", partitions: 3 }],
  })
})

test.each([
  ["a topic of other partitions stands in the way", { t: 3, words: 2 }, wordCount],
  [
    "copartitioned sources differ",
    { a: 1, b: 2 },
    {
      epoch: 0,
      subtopologies: [
        subtopology("0", {
          sourceTopics: ["a", "b"],
          copartitionGroups: [{ sourceTopics: [0, 1], sourceTopicRegex: [], repartitionSourceTopics: [] }],
        }),
      ],
    },
  ],
])("incorrectly partitioned: %s", (_, topics, topology) => {
  const harness = new StreamsHarness(topics as unknown as Record<string, number>)
  expect(codes(harness.join("m", { topology }).status)).toEqual([2])
  expect(harness.missing).toEqual([])
})

test.each([
  ["nobody writes a repartition topic", [subtopology("0", { repartitionSourceTopics: [topic("r")] })]],
  ["a subtopology reads nothing", [subtopology("0", {})]],
  ["a changelog has a count", [subtopology("0", { sourceTopics: ["t"], stateChangelogTopics: [topic("c", 2)] })]],
  ["a loop", [subtopology("0", { repartitionSourceTopics: [topic("r")], repartitionSinkTopics: ["r"] })]],
])("a topology that no topics satisfy is refused: %s", (_, subtopologies) => {
  const answer = new StreamsHarness({ t: 1 }).join("m", { topology: { epoch: 0, subtopologies } })
  expect(answer.errorCode).toBe(code.STREAMS_INVALID_TOPOLOGY)
})

test("a task goes to its new owner after the old one has given it up, and not before", () => {
  const harness = new StreamsHarness({ t: 4 })
  const a = new Thread(harness, "a").join()
  expect(a.active).toEqual({ 0: [0, 1, 2, 3] })
  expect(harness.join("b")).toMatchObject({ memberEpoch: 3, activeTasks: [] })
  const told = harness.beat({ memberId: "a", memberEpoch: 2 })
  expect(told).toMatchObject({ memberEpoch: 2, activeTasks: [tasks("0", 0, 1)] })
  expect(harness.beat({ memberId: "b", memberEpoch: 3 }).activeTasks).toBeNull()
  expect(harness.describe().groupState).toBe("Reconciling")
  const given = { activeTasks: [tasks("0", 0, 1)], standbyTasks: [], warmupTasks: [] }
  expect(harness.beat({ memberId: "a", memberEpoch: 2, ...given }).memberEpoch).toBe(3)
  expect(harness.beat({ memberId: "b", memberEpoch: 3 }).activeTasks).toEqual([tasks("0", 2, 3)])
  expect(harness.describe().groupState).toBe("Stable")
})

test("a member whose session ends leaves its tasks to the others; who was silent is told so", () => {
  const harness = new StreamsHarness({ t: 2 })
  const [a, b] = ["a", "b"].map((id) => new Thread(harness, id).join())
  settle([a!, b!])
  harness.advance(40_000)
  settle([a!])
  harness.advance(10_000)
  settle([a!])
  expect(a!.active).toEqual({ 0: [0, 1] })
  expect(b!.beat()).toBe(code.UNKNOWN_MEMBER_ID)
})

test("a member that does not give up a task within its rebalance timeout is taken out", () => {
  const harness = new StreamsHarness({ t: 2 })
  new Thread(harness, "a").join({ rebalanceTimeoutMs: 10_000 })
  harness.join("b")
  harness.beat({ memberId: "a", memberEpoch: 2 })
  harness.advance(10_000)
  expect(harness.beat({ memberId: "a", memberEpoch: 2 }).errorCode).toBe(code.UNKNOWN_MEMBER_ID)
  expect(harness.beat({ memberId: "b", memberEpoch: 3 }).activeTasks).toEqual([tasks("0", 0, 1)])
})

test("wrong epochs are fenced; a member that missed an answer is told again", () => {
  const harness = new StreamsHarness({ t: 2 })
  harness.join("a")
  harness.join("b")
  harness.beat({ memberId: "a", memberEpoch: 2 })
  const report = { activeTasks: [tasks("0", 0)], standbyTasks: [], warmupTasks: [] }
  expect(harness.beat({ memberId: "a", memberEpoch: 2, ...report }).memberEpoch).toBe(3)
  expect(harness.beat({ memberId: "a", memberEpoch: 2, ...report })).toMatchObject({
    errorCode: code.NONE,
    memberEpoch: 3,
    activeTasks: [tasks("0", 0)],
  })
  expect(harness.beat({ memberId: "a", memberEpoch: 3, ...report }).activeTasks).toBeNull()
  const nothing = { activeTasks: [], standbyTasks: [], warmupTasks: [] }
  expect(harness.beat({ memberId: "a", memberEpoch: 3, ...nothing }).activeTasks).toEqual([tasks("0", 0)])
  expect(harness.beat({ memberId: "a", memberEpoch: 9 }).errorCode).toBe(code.FENCED_MEMBER_EPOCH)
  expect(harness.beat({ memberId: "x", memberEpoch: 2 }).errorCode).toBe(code.UNKNOWN_MEMBER_ID)
  const unknown = { activeTasks: [tasks("0", 7)], standbyTasks: [], warmupTasks: [] }
  expect(harness.beat({ memberId: "a", memberEpoch: 3, ...unknown }).errorCode).toBe(code.INVALID_REQUEST)
})

test("the first members are waited for, and the group then starts with all of them", () => {
  const harness = new StreamsHarness({ t: 4 })
  harness.own["streams.initial.rebalance.delay.ms"] = 3000
  const [a, b] = ["a", "b"].map((id) => new Thread(harness, id).join())
  expect([a!.epoch, a!.active, b!.active]).toEqual([1, {}, {}])
  expect(codes(harness.beat({ memberId: "a", memberEpoch: 1 }).status)).toEqual([5])
  harness.advance(3000)
  settle([a!, b!])
  expect([a!.active, b!.active]).toEqual([{ 0: [0, 2] }, { 0: [1, 3] }])
  expect(harness.describe().groupEpoch).toBe(harness.describe().assignmentEpoch)
})

test("a static member that comes back under another id has its tasks still", () => {
  const harness = new StreamsHarness({ t: 2 })
  const processId = "p"
  harness.join("a", { instanceId: "i", processId })
  expect(harness.join("a2", { instanceId: "i", processId }).errorCode).toBe(code.UNRELEASED_INSTANCE_ID)
  harness.beat({ memberId: "a", memberEpoch: -2, instanceId: "i" })
  const back = harness.join("a2", { instanceId: "i", processId })
  expect(back).toMatchObject({ errorCode: code.NONE, memberEpoch: 2, activeTasks: [tasks("0", 0, 1)] })
  expect(harness.describe().groupEpoch).toBe(2)
  expect(harness.beat({ memberId: "a", memberEpoch: 2, instanceId: "i" }).errorCode).toBe(code.FENCED_INSTANCE_ID)
})

test("standbys are where the active task is not, and take over when its process goes", () => {
  const harness = new StreamsHarness({ t: 4, words: 4, counts: 4 })
  harness.own["streams.num.standby.replicas"] = 1
  const [a, b] = ["a", "b"].map((id) => new Thread(harness, id).join({ topology: wordCount }))
  settle([a!, b!])
  expect(a!.standby).toEqual({ 1: b!.active[1] })
  expect(b!.standby).toEqual({ 1: a!.active[1] })
  b!.leave()
  settle([a!])
  expect([a!.active, a!.standby]).toEqual([{ 0: [0, 1, 2, 3], 1: [0, 1, 2, 3] }, {}])
})

test("the settings of a group count from the next heartbeat on, and another number of standbys is another assignment", () => {
  const harness = new StreamsHarness({ t: 4, words: 4, counts: 4 })
  const [a, b] = ["a", "b"].map((id) => new Thread(harness, id).join({ topology: wordCount }))
  settle([a!, b!])
  expect([a!.standby, b!.standby]).toEqual([{}, {}])
  const { groupEpoch } = harness.describe()
  Object.assign(harness.own, {
    "streams.num.standby.replicas": 1,
    "streams.heartbeat.interval.ms": 7000,
    "streams.task.offset.interval.ms": 20_000,
    "streams.acceptable.recovery.lag": 5,
    "streams.session.timeout.ms": 50_000,
  })
  settle([a!, b!])
  expect(harness.describe().groupEpoch).toBe(groupEpoch + 1)
  expect([a!.standby, b!.standby]).toEqual([{ 1: b!.active[1] }, { 1: a!.active[1] }])
  expect(harness.beat({ memberId: "a", memberEpoch: a!.epoch })).toMatchObject({
    heartbeatIntervalMs: 7000,
    taskOffsetIntervalMs: 20_000,
    acceptableRecoveryLag: 5,
  })
  harness.advance(49_999)
  expect(harness.describe().members).toHaveLength(2)
  harness.advance(1)
  expect(harness.describe().members).toEqual([])
})

test("another topology of the same epoch is refused, and an older epoch is told that it is stale", () => {
  const harness = new StreamsHarness({ t: 1, u: 1 })
  harness.join("a", { topology: { ...simple, epoch: 1 } })
  const other = { epoch: 1, subtopologies: [subtopology("0", { sourceTopics: ["u"] })] }
  expect(harness.join("b", { topology: other }).errorCode).toBe(code.INVALID_REQUEST)
  expect(codes(harness.join("b").status)).toEqual([0])
})

test("who asks for the end of the application is heard by all, until all are gone", () => {
  const harness = new StreamsHarness({ t: 2 })
  const [a, b] = ["a", "b"].map((id) => new Thread(harness, id).join())
  harness.beat({ memberId: "a", memberEpoch: -1, shutdownApplication: true })
  expect(codes(harness.beat({ memberId: "b", memberEpoch: b!.epoch }).status)).toEqual([4])
  b!.leave()
  expect(harness.describe().groupState).toBe("Empty")
  a!.join()
  expect(codes(harness.beat({ memberId: "a", memberEpoch: a!.epoch }).status)).toEqual([])
})

test("endpoints tell which partitions are where", () => {
  const harness = new StreamsHarness({ t: 2 })
  harness.join("a", { userEndpoint: { host: "h", port: 1 } })
  const answer = harness.beat({ memberId: "a", memberEpoch: 2 })
  expect(answer.partitionsByUserEndpoint).toEqual([
    {
      userEndpoint: { host: "h", port: 1 },
      activePartitions: [{ topic: "t", partitions: [0, 1] }],
      standbyPartitions: [],
    },
  ])
  const { endpointInformationEpoch } = answer
  expect(harness.beat({ memberId: "a", memberEpoch: 2, endpointInformationEpoch }).partitionsByUserEndpoint).toBeNull()
})

test("an older epoch may commit what it has had since, and nothing else", () => {
  const harness = new StreamsHarness({ t: 4 })
  const a = new Thread(harness, "a").join()
  harness.join("b")
  settle([a])
  expect(commit(harness, "a", 3, 0)).toBe(code.NONE)
  expect(commit(harness, "a", 2, 0)).toBe(code.NONE)
  expect(commit(harness, "a", 2, 3)).toBe(code.STALE_MEMBER_EPOCH)
  expect(commit(harness, "a", 4, 0)).toBe(code.STALE_MEMBER_EPOCH)
  expect(commit(harness, "x", 3, 0)).toBe(code.UNKNOWN_MEMBER_ID)
})

test("a group without members gives way to members of a classic one, and keeps its offsets", () => {
  const harness = new StreamsHarness({ t: 1 })
  const first = new Thread(harness, "a").join()
  settle([first])
  expect(commit(harness, "a", first.epoch, 0)).toBe(code.NONE)
  const join = (groupInstanceId: string) =>
    harness.ask<JoinGroupResponse>((token) => ({
      kind: "join",
      token,
      context: { apiVersion: 9, clientId: "client", clientHost: "/127.0.0.1" },
      freshId: groupInstanceId,
      request: {
        groupId: "g",
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        memberId: "",
        groupInstanceId,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: new Uint8Array() }],
        reason: null,
      },
    }))
  expect(harness.answer(join("i"))).toMatchObject({ errorCode: code.INCONSISTENT_GROUP_PROTOCOL })
  first.leave()
  const joined = join("i")
  harness.advance(10_000)
  expect(harness.answer(joined)).toMatchObject({ errorCode: code.NONE, generationId: 1 })
  expect(harness.shard.state.offsets.get("g", "t", 0)).toMatchObject({ offset: 1 })
})
