import { expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import {
  type Consumer,
  type ConsumerOptions,
  StreamsStatus,
  type StreamsGroupOptions,
  type TopicPartition,
} from "../../../src/index.ts"
import { ScriptedBroker } from "../../support/scripted-broker.ts"

const names = (partitions: readonly TopicPartition[]) =>
  partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(" ")
const lists = (active: readonly number[], standby: readonly number[] = []) => ({
  activeTasks: active.length === 0 ? [] : [{ subtopologyId: "0", partitions: active }],
  standbyTasks: standby.length === 0 ? [] : [{ subtopologyId: "0", partitions: standby }],
  warmupTasks: [],
})
const beat = (memberEpoch: number, more: object = {}) => ({
  errorCode: 0,
  errorMessage: null,
  memberId: "",
  memberEpoch,
  heartbeatIntervalMs: 1_000,
  taskOffsetIntervalMs: 60_000,
  status: [],
  activeTasks: null,
  standbyTasks: null,
  warmupTasks: null,
  endpointInformationEpoch: 0,
  partitionsByUserEndpoint: null,
  ...more,
})

/** A member of group "g" that reads topic "t"; what it was told is in `told`. */
async function member(more: Partial<StreamsGroupOptions> = {}, options: ConsumerOptions = {}) {
  const broker = new ScriptedBroker()
  const told: string[] = []
  const client = await broker.client()
  const consumer: Consumer = client.consumer({
    groupId: "g",
    autoOffsetReset: "earliest",
    ...options,
    streams: {
      topology: {
        epoch: 0,
        subtopologies: [
          {
            id: "0",
            sourceTopics: ["t"],
            repartitionSourceTopics: [],
            repartitionSinkTopics: [],
            changelogTopics: [],
            copartitionGroups: [],
          },
        ],
      },
      partitions: new Map([["t", 4]]),
      processId: "p",
      memberId: "m",
      ...more,
      listener: {
        onTasks: ({ active, standby }) => void told.push(`tasks ${active.length} ${standby.length}`),
        onStatuses: (statuses) => void told.push(`statuses ${statuses.map(({ statusCode }) => statusCode).join(" ")}`),
        onEndpoints: (endpoints) =>
          void told.push(`endpoints ${endpoints.map(({ endpoint }) => `${endpoint.host}:${endpoint.port}`).join(" ")}`),
        onTopicGrown: (topic, before, now) => void told.push(`grown ${topic} ${before} ${now}`),
      },
    },
  })
  consumer.subscribe(["t"], {
    onAssigned: (partitions) => {
      told.push(`assigned ${names(partitions)}`.trim())
      // Nothing is read in these tests.
      consumer.pause(partitions)
      for (const partition of partitions) consumer.seek(partition, 0)
    },
    onRevoked: (partitions) => void told.push(`revoked ${names(partitions)}`),
    onLost: (partitions) => void told.push(`lost ${names(partitions)} of ${consumer.groupMetadata().generationId}`),
  })
  const beats = () => broker.named("StreamsGroupHeartbeat").map(({ body }) => body)
  return { broker, consumer, told, client, beats }
}

test("a member joins with its topology, takes tasks, gives up first, and reports each step", async () => {
  const { broker, consumer, told, client, beats } = await member({ endpoint: { host: "h", port: 7 } })
  const endpoints = [{ userEndpoint: { host: "h", port: 7 }, activePartitions: [], standbyPartitions: [] }]
  broker.handlers.set("StreamsGroupHeartbeat", () => beat(7))
  broker.script(
    "StreamsGroupHeartbeat",
    () => beat(5, { ...lists([0, 1], [3]), endpointInformationEpoch: 2, partitionsByUserEndpoint: endpoints }),
    () => beat(5),
    () => beat(6, lists([1])),
    () => beat(7, lists([1, 2])),
  )
  while (!told.includes("assigned t-2")) await consumer.poll(100)
  expect(told).toEqual([
    "endpoints h:7",
    "tasks 2 1",
    "assigned t-0 t-1",
    "revoked t-0",
    "tasks 1 0",
    "assigned",
    "tasks 2 0",
    "assigned t-2",
  ])
  expect(names(consumer.assignment())).toBe("t-1 t-2")
  expect(consumer.groupMetadata()).toEqual({ groupId: "g", memberId: "m", generationId: 7, groupInstanceId: null })
  while (beats().length < 5) await consumer.poll(100)
  await client.close()
  const [join, taken, silent, left, all] = beats()
  expect(join).toMatchObject({
    memberId: "m",
    memberEpoch: 0,
    endpointInformationEpoch: -1,
    processId: "p",
    userEndpoint: { host: "h", port: 7 },
    rebalanceTimeoutMs: 300_000,
    topology: { epoch: 0, subtopologies: [{ subtopologyId: "0", sourceTopics: ["t"] }] },
    ...lists([]),
  })
  expect(taken).toMatchObject({ memberEpoch: 5, endpointInformationEpoch: 2, topology: null, ...lists([0, 1], [3]) })
  expect(silent).toMatchObject({ memberEpoch: 5, activeTasks: null })
  expect([left, all]).toMatchObject([lists([1]), lists([1, 2])])
  expect(beats().at(-1)).toMatchObject({ memberEpoch: -1 })
})

test.each([ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_MEMBER_EPOCH])(
  "who is fenced (%i) loses its tasks, commits with its old epoch until then, and joins again with none",
  async (errorCode) => {
    const { broker, consumer, told, client, beats } = await member()
    let epoch = 0
    let isFenced = false
    broker.handlers.set("StreamsGroupHeartbeat", (body) => {
      if (body.memberEpoch === 0) return beat((epoch += 5), lists([0]))
      if (isFenced) return beat(epoch)
      isFenced = true
      return beat(0, { errorCode })
    })
    while (told.length < 5) await consumer.poll(100)
    expect(told).toEqual(["tasks 1 0", "assigned t-0", "lost t-0 of 5", "tasks 1 0", "assigned t-0"])
    expect(consumer.groupMetadata().generationId).toBe(10)
    expect(beats().filter(({ memberEpoch }) => memberEpoch === 0)).toMatchObject([lists([]), lists([])])
    await client.close()
  },
)

test("an answer that is lost is looked up before anything new is taken", async () => {
  const { broker, consumer, told, client, beats } = await member()
  broker.handlers.set("StreamsGroupHeartbeat", () => beat(5))
  broker.script(
    "StreamsGroupHeartbeat",
    () => beat(5, lists([0])),
    () => beat(5),
    // It would have told of partition 1.
    () => "cut",
  )
  const group = {
    errorCode: 0,
    groupId: "g",
    groupState: "Stable",
    groupEpoch: 5,
    assignmentEpoch: 5,
    members: [
      {
        memberId: "m",
        memberEpoch: 5,
        clientId: "",
        clientHost: "",
        topologyEpoch: 0,
        processId: "p",
        clientTags: [],
        taskOffsets: [],
        taskEndOffsets: [],
        assignment: lists([0, 1]),
        targetAssignment: lists([0, 1]),
        isClassic: false,
      },
    ],
  }
  broker.handlers.set("StreamsGroupDescribe", () => ({ groups: [group] }))
  while (!told.includes("assigned t-1")) await consumer.poll(100)
  expect(beats()[3]).toMatchObject({ memberEpoch: 5, ...lists([0]) })
  expect(broker.named("StreamsGroupDescribe")).toHaveLength(1)
  await client.close()
})

test("what the group says is told when it changes, and one that is not ready is asked sooner", async () => {
  const { broker, consumer, told, client } = await member()
  const status = (statusCode: number) => ({ status: [{ statusCode, statusDetail: "why" }] })
  broker.handlers.set("StreamsGroupHeartbeat", () => beat(3))
  broker.script(
    "StreamsGroupHeartbeat",
    () => beat(1, { ...lists([]), ...status(StreamsStatus.ASSIGNMENT_DELAYED), heartbeatIntervalMs: 60_000 }),
    () => beat(1, status(StreamsStatus.ASSIGNMENT_DELAYED)),
    () => beat(2, lists([2])),
    () => beat(2, status(StreamsStatus.SHUTDOWN_APPLICATION)),
  )
  const since = broker.clock.monotonic()
  while (!told.includes("assigned t-2")) await consumer.poll(100)
  expect(broker.clock.monotonic() - since).toBeLessThan(5_000)
  while (!told.includes("statuses 4")) await consumer.poll(100)
  expect(told.filter((line) => line.startsWith("statuses"))).toEqual(["statuses 5", "statuses ", "statuses 4"])
  await client.close()
})

test("what only the user can mend is thrown by poll, with the broker's words", async () => {
  const { broker, consumer, client } = await member()
  broker.handlers.set("StreamsGroupHeartbeat", () =>
    beat(0, { errorCode: 42, errorMessage: "Topology updates are not" }),
  )
  await expect(consumer.poll(1_000)).rejects.toThrow("group g: Topology updates are not")
  await client.close()
})

test("topics that have more partitions than tasks were laid out for are told by their names", async () => {
  const { broker, consumer, told, client } = await member({ partitions: new Map([["t", 2]]) })
  const status = [{ statusCode: StreamsStatus.INCORRECTLY_PARTITIONED_TOPICS, statusDetail: "changelog" }]
  broker.handlers.set("StreamsGroupHeartbeat", () => beat(1, { ...lists([]), status }))
  while (told.length === 0) await consumer.poll(100)
  expect(new Set(told)).toEqual(new Set(["grown t 2 4"]))
  await client.close()
})

test.each<[ConsumerOptions, { leaveGroup?: boolean }, number[]]>([
  [{}, {}, [-1]],
  [{ groupInstanceId: "i" }, {}, [-2]],
  [{ groupInstanceId: "i", leaveOnClose: true }, {}, [-1]],
  [{ leaveOnClose: false }, {}, []],
  [{ leaveOnClose: true }, { leaveGroup: false }, []],
  [{ leaveOnClose: false }, { leaveGroup: true }, [-1]],
])("%o closed with %o leaves with epochs %o", async (options, how, epochs) => {
  const { broker, consumer, told, client, beats } = await member({}, options)
  broker.handlers.set("StreamsGroupHeartbeat", (body) => beat(Math.max(1, body.memberEpoch), lists([0])))
  while (told.length < 2) await consumer.poll(100)
  await consumer.close(how)
  expect(told.at(-1)).toBe("revoked t-0")
  expect(beats().flatMap(({ memberEpoch }) => (memberEpoch < 0 ? [memberEpoch] : []))).toEqual(epochs)
  await client.close()
})

test("a callback that fails on close keeps nobody in the group", async () => {
  const { broker, consumer, told, client, beats } = await member()
  broker.handlers.set("StreamsGroupHeartbeat", (body) => beat(Math.max(1, body.memberEpoch), lists([0])))
  while (told.length < 2) await consumer.poll(100)
  consumer.subscribe(["t"], { onRevoked: () => Promise.reject(new Error("the callback failed")) })
  await expect(consumer.close()).rejects.toThrow("the callback failed")
  expect(beats().at(-1)).toMatchObject({ memberEpoch: -1 })
  await client.close()
})

test("a user that does not poll for too long loses its tasks to others, and joins again when it does", async () => {
  const { broker, consumer, told, client, beats } = await member({}, { maxPollIntervalMs: 5_000 })
  broker.handlers.set("StreamsGroupHeartbeat", (body) => beat(Math.max(1, body.memberEpoch), lists([0])))
  while (told.length < 2) await consumer.poll(100)
  while (beats().at(-1)!.memberEpoch !== -1) await new Promise((resolve) => setImmediate(resolve))
  while (told.length < 5) await consumer.poll(100)
  expect(told.slice(2)).toEqual(["lost t-0 of 1", "tasks 1 0", "assigned t-0"])
  await client.close()
})

test("who starts over leaves, loses its tasks, and joins again as another member", async () => {
  const { broker, consumer, told, client, beats } = await member()
  broker.handlers.set("StreamsGroupHeartbeat", (body) => beat(Math.max(1, body.memberEpoch), lists([0])))
  while (told.length < 2) await consumer.poll(100)
  consumer.startOver()
  while (told.length < 5) await consumer.poll(100)
  expect(told.slice(2)).toEqual(["lost t-0 of 1", "tasks 1 0", "assigned t-0"])
  const [left, joined] = beats().filter(({ memberEpoch }, at) => memberEpoch === -1 || (memberEpoch === 0 && at > 0))
  expect(left).toMatchObject({ memberId: "m", memberEpoch: -1 })
  expect(joined.memberId).not.toBe("m")
  expect(consumer.groupMetadata().memberId).toBe(joined.memberId)
  await client.close()
})

test("a commit that is refused for its epoch asks the group at once", async () => {
  const { broker, consumer, told, client, beats } = await member({}, { heartbeatIntervalMs: 9_000 })
  broker.handlers.set("StreamsGroupHeartbeat", (body) =>
    beat(1, { heartbeatIntervalMs: 9_000, ...(body.memberEpoch === 0 && lists([0])) }),
  )
  broker.handlers.set("OffsetCommit", (body) => ({
    topics: body.topics.map(({ name }: { name: string }) => ({
      name,
      partitions: [{ partitionIndex: 0, errorCode: ErrorCode.STALE_MEMBER_EPOCH }],
    })),
  }))
  while (told.length < 2) await consumer.poll(100)
  while (beats().length < 2) await consumer.poll(0)
  const [count, at] = [beats().length, broker.clock.monotonic()]
  await expect(consumer.commit([{ topic: "t", partition: 0, offset: 3 }])).rejects.toThrow("STALE_MEMBER_EPOCH")
  while (beats().length === count) await new Promise((resolve) => setImmediate(resolve))
  expect(broker.clock.monotonic() - at).toBeLessThan(1_000)
  await client.close()
})
