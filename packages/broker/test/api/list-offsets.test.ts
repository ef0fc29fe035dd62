import { ErrorCode } from "@millrace/protocol"
import { DeleteRecords } from "@millrace/protocol/messages/delete-records"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { ListOffsets } from "@millrace/protocol/messages/list-offsets"
import { OffsetForLeaderEpoch } from "@millrace/protocol/messages/offset-for-leader-epoch"
import { describe, expect, test } from "vitest"
import { batch, type Client, NOW, start } from "../harness.ts"
import { fetchAll, fetchOne } from "../read.ts"

async function filled(): Promise<Client> {
  const client = await (await start()).client()
  await client.createTopic("a")
  for (const [index, delay] of [10, 30, 20].entries()) {
    await client.produce("a", batch([{ value: `${index}`, timestamp: NOW - 100 + delay }]))
  }
  return client
}

async function list(client: Client, timestamp: number, version = 11, partitionIndex = 0) {
  const response = await client.send(ListOffsets, version, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: "a", partitions: [{ partitionIndex, timestamp }] }],
  })
  return response.topics[0]!.partitions[0]!
}

const nothing = { errorCode: 0, offset: -1, timestamp: -1, leaderEpoch: -1 }

describe("list offsets", () => {
  test.each([
    ["latest", -1, { offset: 3, timestamp: -1, leaderEpoch: 0 }],
    ["earliest", -2, { offset: 0, timestamp: -1, leaderEpoch: 0 }],
    ["the largest time", -3, { offset: 1, timestamp: NOW - 70, leaderEpoch: 0 }],
    ["63: earliest local", -4, { offset: 0, timestamp: -1, leaderEpoch: 0 }],
    ["63: latest tiered", -5, nothing],
    ["63: earliest pending upload", -6, nothing],
    ["61: a time between records", NOW - 85, { offset: 1, timestamp: NOW - 70, leaderEpoch: 0 }],
    ["61: a time before all", 0, { offset: 0, timestamp: NOW - 90, leaderEpoch: 0 }],
    ["61: a time after all", NOW, nothing],
  ])("%s", async (_, timestamp, expected) => {
    expect(await list(await filled(), timestamp)).toMatchObject({ errorCode: 0, ...expected })
  })

  test.each([
    [-3, 6],
    [-4, 7],
    [-5, 8],
    [-6, 10],
    [-7, 11],
  ])("60: timestamp %i in v%i is UNSUPPORTED_VERSION", async (timestamp, version) => {
    expect(await list(await filled(), timestamp, version)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
  })

  test("60: a partition asked about twice is refused, and answered once; a topic without partitions is not", async () => {
    const client = await filled()
    await client.createTopic("b")
    const partitions = [-1, -2].map((timestamp) => ({ partitionIndex: 0, timestamp }))
    const response = await client.send(ListOffsets, 5, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [
        { name: "a", partitions },
        { name: "b", partitions: [] },
      ],
    })
    const answered = response.topics.map(({ name, partitions: found }) => [
      name,
      found.map(({ errorCode }) => errorCode),
    ])
    expect(answered).toEqual([["a", [ErrorCode.INVALID_REQUEST]]])
  })

  test("an absent partition", async () => {
    expect(await list(await filled(), -7, 11, 3)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
    expect(await list(await filled(), -1, 11, 3)).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  })
})

test.each([
  [0, { errorCode: 0, leaderEpoch: 0, endOffset: 3 }],
  [5, { errorCode: 0, leaderEpoch: -1, endOffset: -1 }],
])("65: epoch %i ended where", async (leaderEpoch, expected) => {
  const client = await filled()
  const { topics } = await client.send(OffsetForLeaderEpoch, 4, {
    topics: [{ topic: "a", partitions: [{ partition: 0, leaderEpoch }] }],
  })
  expect(topics[0]!.partitions[0]).toMatchObject(expected)
})

describe("delete records", () => {
  test("an internal topic keeps its records", async () => {
    const client = await filled()
    await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] })
    const topics = [{ name: "__consumer_offsets", partitions: [{ partitionIndex: 0, offset: -1 }] }]
    const response = await client.send(DeleteRecords, 2, { topics, timeoutMs: 1000 })
    expect(response.topics[0]!.partitions).toMatchObject([{ errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION }])
  })

  async function remove(client: Client, offset: number) {
    const topics = [{ name: "a", partitions: [{ partitionIndex: 0, offset }] }]
    return (await client.send(DeleteRecords, 2, { topics, timeoutMs: 1000 })).topics[0]!.partitions[0]!
  }

  test.each([
    [-1, { errorCode: 0, lowWatermark: 3 }],
    [2, { errorCode: 0, lowWatermark: 2 }],
    [4, { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 }],
    [-2, { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 }],
  ])("66: up to %i", async (offset, expected) => {
    expect(await remove(await filled(), offset)).toMatchObject(expected)
  })

  test("66, 72: all answers agree on the new start, which survives a restart; a start inside a batch reads it whole", async () => {
    const started = await start()
    const client = await started.client()
    await client.createTopic("a")
    await client.produce("a", batch(["x", "y", "z"]))
    await remove(client, 1)
    const check = async (asked: Client) => {
      expect(await asked.offset("a", -2)).toBe(1)
      expect(await fetchOne(asked, "a", { offset: 0 })).toMatchObject({ errorCode: 1 })
      expect(await fetchAll(asked, "a", { offset: 1 })).toHaveLength(3)
    }
    await check(client)
    await started.broker.close()
    await check(await (await start({}, { dataDir: started.dataDir })).client())
  })

  test("a topic that is only compacted keeps its records", async () => {
    const client = await (await start()).client()
    await client.createTopic("a", 1, { "cleanup.policy": "compact" })
    await client.produce("a", batch([{ key: "k", value: "v" }]))
    expect(await remove(client, -1)).toMatchObject({ errorCode: ErrorCode.POLICY_VIOLATION })
  })
})
