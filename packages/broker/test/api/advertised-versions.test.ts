/** The versions that are advertised, against what clients send: of each the highest that it knows, or the range it needs. */
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { Fetch } from "@millrace/protocol/messages/fetch"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { Produce } from "@millrace/protocol/messages/produce"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import { expect, test } from "vitest"
import { allApis } from "../../src/api/all.ts"
import { advertisedRanges } from "../../src/api/registry.ts"
import { batch, type Client, start } from "../harness.ts"
import { readRecords } from "../read.ts"

const ranges = new Map(advertisedRanges(allApis()).map((range) => [range.apiKey, range]))

/** By API key: the highest version that a client sends, or the lowest and the highest that it can do with. */
type Spoken = Readonly<Record<number, number | readonly [min: number, max: number]>>

/** librdkafka 2.15. */
const LIBRDKAFKA: Spoken = {
  ...{
    0: 10,
    1: 16,
    2: 7,
    3: 13,
    8: 9,
    9: 9,
    10: 2,
    11: 5,
    12: 3,
    13: 1,
    14: 3,
    15: 5,
    16: 4,
    17: 1,
    18: 3,
    19: 4,
    20: 4,
  },
  ...{ 21: 2, 22: 4, 23: 2, 24: 0, 25: 0, 26: 1, 28: 3, 29: 2, 30: 2, 31: 2, 32: 1, 33: 2, 36: 1, 37: 2, 42: 2, 44: 1 },
  ...{ 47: 0, 50: 0, 51: 0, 68: 1, 69: 0 },
}
/** kafkajs 2.2. */
const KAFKAJS: Spoken = {
  ...{
    0: 7,
    1: 11,
    2: 3,
    3: 6,
    8: 5,
    9: 4,
    10: 2,
    11: 5,
    12: 3,
    13: 3,
    14: 3,
    15: 2,
    16: 2,
    17: 1,
    18: 2,
    19: 3,
    20: 1,
  },
  ...{ 21: 1, 22: 1, 24: 1, 25: 1, 26: 1, 28: 1, 29: 1, 30: 1, 31: 1, 32: 2, 33: 1, 36: 1, 37: 1, 42: 1 },
}
/** aiokafka 0.14. */
const AIOKAFKA: Spoken = {
  ...{
    0: 8,
    1: 11,
    2: 5,
    3: 5,
    8: 3,
    9: 3,
    10: 1,
    11: 5,
    12: 1,
    13: 1,
    14: 3,
    15: 3,
    16: 2,
    17: 1,
    18: 2,
    19: 3,
    20: 3,
  },
  ...{ 21: 2, 22: 0, 24: 0, 25: 0, 26: 0, 28: 0, 32: 2, 33: 1, 36: 1, 37: 1, 42: 1 },
}
/** @platformatic/kafka 2.10. */
const PLATFORMATIC: Spoken = {
  ...{ 0: [7, 11], 1: [12, 17], 2: [5, 9], 3: [9, 12], 8: [8, 9], 9: [8, 9], 10: [4, 6], 11: [6, 9], 12: [4, 4] },
  ...{ 13: [4, 5], 14: [4, 5], 15: [5, 5], 16: [4, 5], 18: [3, 4], 19: [7, 7], 20: [6, 6], 22: [3, 5], 24: [3, 5] },
  ...{ 25: [1, 4], 26: [3, 4], 28: [3, 4], 32: [2, 4], 37: [1, 3], 68: [0, 1] },
}

function unserved(spoken: Spoken): string[] {
  return Object.entries(spoken).flatMap(([key, versions]) => {
    const [min, max] = typeof versions === "number" ? [versions, versions] : versions
    const range = ranges.get(Number(key))
    return range !== undefined && range.minVersion <= min && range.maxVersion >= max ? [] : [`${key}: ${min} to ${max}`]
  })
}

test("V2: librdkafka finds each version that it sends", () => {
  expect(unserved(LIBRDKAFKA)).toEqual([])
})

test.each([
  ["kafkajs", KAFKAJS],
  ["aiokafka", AIOKAFKA],
  ["@platformatic/kafka", PLATFORMATIC],
])("V9: %s finds each version that it sends", (_, spoken) => {
  expect(unserved(spoken)).toEqual([])
})

const header = (apiKey: number, apiVersion: number): Uint8Array => {
  const bytes = Buffer.alloc(14)
  bytes.writeInt32BE(10, 0)
  bytes.writeInt16BE(apiKey, 4)
  bytes.writeInt16BE(apiVersion, 6)
  bytes.writeInt32BE(7, 8)
  bytes.writeInt16BE(-1, 12)
  return bytes
}

async function isClosed(apiKey: number, apiVersion: number): Promise<boolean> {
  const client = await (await start()).client()
  client.write([header(apiKey, apiVersion)])
  return (await client.frame()) === undefined
}

test("V1: Produce is advertised from 0, and served from 3", async () => {
  const client = await (await start()).client()
  const { apiKeys } = await client.send(ApiVersions, 0, {})
  expect(apiKeys.find(({ apiKey }) => apiKey === Produce.key)).toMatchObject({ minVersion: 0, maxVersion: 13 })
  for (const version of [0, 1, 2]) expect(await isClosed(Produce.key, version)).toBe(true)
})

test("V6: InitProducerId ends at 5", async () => {
  expect(ranges.get(InitProducerId.key)).toMatchObject({ minVersion: 0, maxVersion: 5 })
  expect(await isClosed(InitProducerId.key, 6)).toBe(true)
})

// Fetch, ListOffsets, OffsetFetch, OffsetCommit, OffsetForLeaderEpoch, CreateTopics, DeleteTopics, rules, DescribeConfigs,
// WriteTxnMarkers: below these, KIP-896 took their versions away.
test.each([
  ...([
    [1, 4],
    [2, 1],
    [9, 1],
    [8, 2],
    [23, 2],
    [19, 2],
    [20, 1],
    [29, 1],
    [30, 1],
    [31, 1],
    [32, 1],
    [27, 1],
  ] as const),
])("V10: api key %i is served from %i on", async (apiKey, first) => {
  expect(ranges.get(apiKey)!.minVersion).toBe(first)
  expect(await isClosed(apiKey, first - 1)).toBe(true)
})

async function coordinators(client: Client): Promise<void> {
  await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] })
  await client.send(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ["t"] })
}

test("V7: the id that Metadata gives is taken by every API that names topics by id", async () => {
  const client = await (await start()).client()
  await client.createTopic("a")
  const topicId = await client.topicId("a")
  await coordinators(client)
  const produced = await client.send(Produce, 13, {
    ...{ acks: -1, timeoutMs: 1000 },
    topicData: [{ topicId, partitionData: [{ index: 0, records: batch(["x"]) }] }],
  })
  expect(produced.responses).toMatchObject([{ topicId, partitionResponses: [{ errorCode: 0 }] }])
  const fetched = await client.send(Fetch, 13, {
    ...{ maxWaitMs: 0, minBytes: 0 },
    topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
  })
  expect(readRecords(fetched.responses[0]!.partitions[0]!.records)).toMatchObject([{ value: "x" }])
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }]
  const committed = await client.send(OffsetCommit, 10, {
    groupId: "g",
    memberId: "",
    topics: [{ topicId, partitions }],
  })
  expect(committed.topics).toMatchObject([{ topicId, partitions: [{ errorCode: 0 }] }])
  const { groups } = await client.send(OffsetFetch, 10, {
    groups: [{ groupId: "g", topics: null }],
    requireStable: false,
  })
  expect(groups[0]!.topics).toMatchObject([{ topicId, partitions: [{ committedOffset: 1 }] }])
  const producer = await client.send(InitProducerId, 5, { transactionalId: "t", transactionTimeoutMs: 1000 })
  const pending = await client.send(TxnOffsetCommit, 6, {
    ...{ transactionalId: "t", groupId: "g", producerId: producer.producerId, producerEpoch: producer.producerEpoch },
    topics: [{ topicId, partitions }],
  })
  expect(pending.topics).toMatchObject([{ topicId, partitions: [{ errorCode: 0 }] }])
  const deleted = await client.send(DeleteTopics, 6, { topics: [{ topicId }], timeoutMs: 1000 })
  expect(deleted.responses).toMatchObject([{ topicId, errorCode: 0 }])
})
