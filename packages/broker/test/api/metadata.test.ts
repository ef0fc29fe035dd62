import { type Decoded, ErrorCode, ZERO_UUID } from "@millrace/protocol"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { DescribeCluster } from "@millrace/protocol/messages/describe-cluster"
import { DescribeTopicPartitions } from "@millrace/protocol/messages/describe-topic-partitions"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { describe, expect, test } from "vitest"
import { start } from "../harness.ts"

describe("metadata", () => {
  test("4: null is all, empty is none, and in v0 empty is all", async () => {
    const client = await (await start()).client()
    await client.createTopic("a", 2)
    const names = async (version: number, topics: { name: string }[] | null) =>
      (await client.send(Metadata, version, { topics })).topics.map(({ name }) => name)
    expect(await names(12, null)).toEqual(["a"])
    expect(await names(12, [])).toEqual([])
    expect(await names(0, [])).toEqual(["a"])
  })

  test("names this broker and the leader of every partition", async () => {
    const started = await start()
    const client = await started.client()
    const topicId = await client.createTopic("a", 2)
    const response = await client.send(Metadata, 12, { topics: null })
    expect(response).toMatchObject({
      clusterId: started.broker.clusterId,
      controllerId: 1,
      brokers: [{ nodeId: 1, host: "broker", port: 9092 }],
      topics: [
        {
          errorCode: 0,
          topicId,
          isInternal: false,
          partitions: [
            { partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1], offlineReplicas: [] },
            { partitionIndex: 1 },
          ],
        },
      ],
    })
  })

  test.each([
    [12, true, {}, ErrorCode.NONE],
    [12, false, {}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    [3, undefined, {}, ErrorCode.NONE],
    [12, true, { "auto.create.topics.enable": "false" }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ])("4: v%i with auto-creation %o and %o gives %i", async (version, allow, config, errorCode) => {
    const client = await (await start(config as Record<string, string>)).client()
    const request = { topics: [{ name: "new" }], ...(allow === undefined ? {} : { allowAutoTopicCreation: allow }) }
    const { topics } = await client.send(Metadata, version, request)
    expect(topics[0]).toMatchObject({ errorCode, name: "new" })
    expect((await client.send(Metadata, 12, { topics: null })).topics).toHaveLength(errorCode === 0 ? 1 : 0)
  })

  test("4: an invalid name creates nothing", async () => {
    const client = await (await start()).client()
    const { topics } = await client.send(Metadata, 12, { topics: [{ name: "a b" }] })
    expect(topics[0]).toMatchObject({ errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION })
  })

  test.each([10, 11])("5: by id in v%i, whose answers have no null names, is an invalid request", async (version) => {
    const started = await start()
    const client = await started.client()
    const topicId = await client.createTopic("a")
    const asked = [{ topicId, name: null }, { topicId: "AAAAAAAAAAAAAAAAAAAAEg", name: null }, { name: null }]
    const { topics } = await client.send(Metadata, version, { topics: asked })
    expect(topics.map(({ errorCode }) => errorCode)).toEqual(asked.map(() => ErrorCode.INVALID_REQUEST))
    expect((await client.send(Metadata, version, { topics: asked })).brokers).toEqual([])
    expect(started.defects).toEqual([])
  })

  test("5, 6: by id; a deleted topic's id is unknown", async () => {
    const client = await (await start()).client()
    const topicId = await client.createTopic("a")
    const ask = async () => (await client.send(Metadata, 12, { topics: [{ topicId, name: null }] })).topics[0]
    expect(await ask()).toMatchObject({ errorCode: 0, name: "a" })
    const deleted = await client.send(DeleteTopics, 6, { topics: [{ topicId }], timeoutMs: 1000 })
    expect(deleted.responses[0]).toMatchObject({ errorCode: 0, name: "a", topicId })
    expect(await ask()).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null })
  })

  test("4: a topic that is asked for twice is answered once", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    const { topics } = await client.send(Metadata, 12, { topics: [{ name: "a" }, { name: "a" }] })
    expect(topics).toHaveLength(1)
  })

  test("5: where one topic is asked for by id, names mean nothing", async () => {
    const client = await (await start()).client()
    const topicId = await client.createTopic("a")
    await client.createTopic("b")
    const asked = [
      { topicId, name: "b" },
      { topicId: ZERO_UUID, name: "b" },
    ]
    expect((await client.send(Metadata, 12, { topics: asked })).topics).toMatchObject([{ errorCode: 0, name: "a" }])
  })

  test("what a client may do with a topic is told of one that is not there, too", async () => {
    const client = await (await start()).client()
    const { topics } = await client.send(Metadata, 12, {
      topics: [{ name: "nowhere" }],
      ...{ allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true },
    })
    expect(topics[0]!.topicAuthorizedOperations).toBeGreaterThan(0)
    const described = await client.send(DescribeTopicPartitions, 0, { topics: [{ name: "nowhere" }] })
    expect(described.topics[0]!.topicAuthorizedOperations).toBe(topics[0]!.topicAuthorizedOperations)
  })

  test("a listener bound to all addresses is advertised as the one the client reached", async () => {
    const client = await (await start({ listeners: "PLAINTEXT://0.0.0.0:0" })).client()
    const { brokers } = await client.send(Metadata, 12, { topics: [] })
    expect(brokers[0]!.host).not.toBe("")
  })

  test("advertised.listeners are what clients are told", async () => {
    const client = await (await start({ "advertised.listeners": "PLAINTEXT://example.org:1234" })).client()
    expect((await client.send(Metadata, 12, { topics: [] })).brokers).toMatchObject([
      { host: "example.org", port: 1234 },
    ])
  })
})

test.each([
  [{ topics: [], timeoutMs: 1 }, []],
  [{ topics: [{ name: "nope" }], timeoutMs: 1 }, [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]],
  [{ topics: [{ topicId: "AAAAAAAAAAAAAAAAAAAAEg" }], timeoutMs: 1 }, [ErrorCode.UNKNOWN_TOPIC_ID]],
  [{ topics: [{ name: null, topicId: ZERO_UUID }], timeoutMs: 1 }, [ErrorCode.INVALID_REQUEST]],
  [
    {
      topics: [
        { name: "a", topicId: ZERO_UUID },
        { name: "a", topicId: ZERO_UUID },
      ],
      timeoutMs: 1,
    },
    [ErrorCode.INVALID_REQUEST],
  ],
])("deleting %o gives %o", async (request, codes) => {
  const client = await (await start()).client()
  await client.createTopic("a")
  const topics = request.topics.map((topic) => ({ topicId: ZERO_UUID, ...topic }))
  const { responses } = await client.send(DeleteTopics, 6, { ...request, topics })
  expect(responses.map(({ errorCode }) => errorCode)).toEqual(codes)
})

test("a topic that is named twice, or by its name and its id, is answered once and not deleted", async () => {
  const client = await (await start()).client()
  const topicId = await client.createTopic("a")
  const byId = { name: null, topicId }
  const byName = { name: "a", topicId: ZERO_UUID }
  for (const [topics, answer] of [
    [[byId, byId], byId],
    [[byName, byName], byName],
    [[byName, byId], { name: "a", topicId }],
  ] as const) {
    const { responses } = await client.send(DeleteTopics, 6, { topics: [...topics], timeoutMs: 1 })
    expect(responses).toMatchObject([{ ...answer, errorCode: ErrorCode.INVALID_REQUEST }])
  }
  expect(await client.topicId("a")).toBe(topicId)
})

test("delete.topic.enable=false refuses", async () => {
  const client = await (await start({ "delete.topic.enable": "false" })).client()
  await client.createTopic("a")
  const { responses } = await client.send(DeleteTopics, 5, { topicNames: ["a"], timeoutMs: 1 })
  expect(responses[0]).toMatchObject({ errorCode: ErrorCode.TOPIC_DELETION_DISABLED })
})

test("7: topics page by page, in order, until the cursor is null", async () => {
  const client = await (await start({ "max.request.partition.size.limit": "3" })).client()
  await client.createTopic("b", 4)
  await client.createTopic("a", 2)
  const seen: string[] = []
  let cursor: { topicName: string; partitionIndex: number } | null = null
  let pages = 0
  do {
    const response: Decoded<typeof DescribeTopicPartitions.response> = await client.send(DescribeTopicPartitions, 0, {
      topics: [],
      cursor,
    })
    for (const { name, partitions } of response.topics) {
      for (const { partitionIndex } of partitions) seen.push(`${name}-${partitionIndex}`)
    }
    cursor = response.nextCursor
    pages++
  } while (cursor !== null)
  expect(seen).toEqual(["a-0", "a-1", "b-0", "b-1", "b-2", "b-3"])
  expect(pages).toBe(2)
  const refused = await client.send(DescribeTopicPartitions, 0, {
    topics: [{ name: "a" }],
    cursor: { topicName: "zz", partitionIndex: 0 },
  })
  expect(refused.topics[0]).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
})

test("DescribeCluster", async () => {
  const started = await start()
  const client = await started.client()
  expect(await client.send(DescribeCluster, 2, { includeClusterAuthorizedOperations: true })).toMatchObject({
    clusterId: started.broker.clusterId,
    controllerId: 1,
    brokers: [{ brokerId: 1, isFenced: false }],
    clusterAuthorizedOperations: 0b1111110100000,
  })
  expect(
    await client.send(DescribeCluster, 1, { includeClusterAuthorizedOperations: false, endpointType: 2 }),
  ).toMatchObject({
    errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE,
  })
})
