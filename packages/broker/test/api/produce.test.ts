import { ErrorCode } from "@millrace/protocol"
import { Produce } from "@millrace/protocol/messages/produce"
import { RecordBatchView } from "@millrace/protocol/record/batch"
import { describe, expect, test } from "vitest"
import { batch, type Client, NOW, start } from "../harness.ts"
import { fetchAll } from "../read.ts"

const HOUR_MS = 3_600_000

async function withTopic(configs: Record<string, string> = {}): Promise<Client> {
  const client = await (await start()).client()
  await client.createTopic("a", 1, configs)
  return client
}

describe("produce", () => {
  test("appends and answers base offsets", async () => {
    const client = await withTopic()
    expect(await client.produce("a", batch(["x", "y"]))).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await client.produce("a", batch(["z"]))).toMatchObject({
      errorCode: 0,
      baseOffset: 2,
      logAppendTimeMs: -1,
      logStartOffset: 0,
    })
    expect(await fetchAll(client, "a")).toMatchObject([{ value: "x" }, { value: "y" }, { offset: 2, value: "z" }])
  })

  test.each([
    ["nowhere", 0, -1, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ["a", 7, -1, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ["a", 0, 2, ErrorCode.INVALID_REQUIRED_ACKS],
    ["a", 7, 2, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ["__consumer_offsets", 0, -1, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ])("2: topic %s, partition %i, acks %i gives %i", async (topic, partition, acks, errorCode) => {
    const client = await withTopic()
    expect(await client.produce(topic, batch(["x"]), { partition, acks })).toMatchObject({ errorCode, baseOffset: -1 })
  })

  test("6: by topic id; an id of before a deletion is unknown", async () => {
    const client = await withTopic()
    const topicId = await client.topicId("a")
    const produce = async (id: string) => {
      const partitionData = [{ index: 0, records: batch(["x"]) }]
      const response = await client.send(Produce, 13, {
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ topicId: id, partitionData }],
      })
      return response.responses[0]!
    }
    expect(await produce(topicId)).toMatchObject({ topicId, partitionResponses: [{ errorCode: 0, baseOffset: 0 }] })
    const { DeleteTopics } = await import("@millrace/protocol/messages/delete-topics")
    await client.send(DeleteTopics, 6, { topics: [{ topicId }], timeoutMs: 1000 })
    await client.createTopic("a")
    expect(await produce(topicId)).toMatchObject({
      partitionResponses: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, baseOffset: -1 }],
    })
  })

  test("12: the client's leader epoch is overwritten, the checksum still holds", async () => {
    const client = await withTopic()
    await client.produce("a", batch(["x"], { partitionLeaderEpoch: 77 }))
    const [record] = await fetchAll(client, "a")
    expect(record!.batch.partitionLeaderEpoch).toBe(0)
    expect(record!.batch.isValidCrc()).toBe(true)
  })

  test("13: the largest timestamp is found by the broker, whatever the client wrote", async () => {
    const client = await withTopic()
    const bytes = batch([
      { value: "x", timestamp: NOW - 5 },
      { value: "y", timestamp: NOW - 9 },
    ])
    const view = new RecordBatchView(bytes)
    view.setMaxTimestamp("CreateTime", -1)
    view.updateCrc()
    await client.produce("a", bytes)
    expect(await client.offset("a", NOW - 5)).toBe(0)
  })

  test("14: LogAppendTime stamps the batch and is told", async () => {
    const client = await withTopic({ "message.timestamp.type": "LogAppendTime" })
    const { logAppendTimeMs } = await client.produce("a", batch([{ value: "x", timestamp: 5 }]))
    expect(logAppendTimeMs).toBeGreaterThanOrEqual(NOW)
    const [record] = await fetchAll(client, "a")
    expect(record!.timestamp).toBe(logAppendTimeMs)
    expect(record!.batch.timestampType).toBe("LogAppendTime")
    expect(record!.batch.baseTimestamp).toBe(5)
    expect(record!.batch.isValidCrc()).toBe(true)
  })

  test("15: a time too far ahead is refused and named", async () => {
    const client = await withTopic()
    const late = { value: "y", timestamp: Date.now() + 2 * HOUR_MS }
    expect(await client.produce("a", batch([{ value: "x" }, late]))).toMatchObject({
      errorCode: ErrorCode.INVALID_TIMESTAMP,
      recordErrors: [{ batchIndex: 1 }],
    })
    expect(await client.offset("a", -1)).toBe(0)
  })

  test("16: records without a key are refused on a compacted topic, exactly those named, none kept", async () => {
    const client = await withTopic({ "cleanup.policy": "compact" })
    const records = [{ value: "x" }, { key: "k", value: "y" }, { value: "z" }]
    const response = await client.produce("a", batch(records))
    expect(response).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD, baseOffset: -1 })
    expect(response.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 2])
    expect(response.errorMessage).toContain("key")
    expect(await client.offset("a", -1)).toBe(0)
  })

  test("17: the size of the compressed batch counts", async () => {
    const client = await withTopic({ "max.message.bytes": "200" })
    const big = "x".repeat(1000)
    expect(await client.produce("a", batch([big]))).toMatchObject({ errorCode: ErrorCode.MESSAGE_TOO_LARGE })
    expect(await client.produce("a", batch([big], { compression: "gzip" }))).toMatchObject({ errorCode: 0 })
  })

  test.each([
    ["no records", null, ErrorCode.INVALID_RECORD],
    ["no batch", new Uint8Array(0), ErrorCode.INVALID_RECORD],
    ["two batches", Buffer.concat([batch(["x"]), batch(["y"])]), ErrorCode.INVALID_RECORD],
    ["a control batch", batch(["x"], { control: true, producerId: 1, producerEpoch: 0 }), ErrorCode.INVALID_RECORD],
    ["no sequence", batch(["x"], { producerId: 1, producerEpoch: 0 }), ErrorCode.INVALID_RECORD],
    ["a few bytes", new Uint8Array(5), ErrorCode.INVALID_RECORD],
    ["a batch that is cut short", batch(["x"]).subarray(0, -1), ErrorCode.INVALID_RECORD],
    ["a batch and some bytes", Buffer.concat([batch(["x"]), new Uint8Array(5)]), ErrorCode.CORRUPT_MESSAGE],
    ["a format that there is not", batch(["x"]).fill(3, 16, 17), ErrorCode.CORRUPT_MESSAGE],
    ["an old format", batch(["x"]).fill(1, 16, 17), ErrorCode.INVALID_RECORD],
    ["a batch of a length that none has", batch(["x"]).fill(0, 8, 12), ErrorCode.CORRUPT_MESSAGE],
    [
      "a transactional batch of no transactional id",
      batch(["x"], { transactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }),
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ],
  ])("18: %s", async (_, bytes, errorCode) => {
    const client = await withTopic()
    expect(await client.produce("a", bytes)).toMatchObject({ errorCode })
    expect(await client.offset("a", -1)).toBe(0)
  })

  test("18: a flipped bit is CORRUPT_MESSAGE", async () => {
    const client = await withTopic()
    const bytes = batch(["x"])
    bytes[bytes.length - 1]! ^= 1
    expect(await client.produce("a", bytes)).toMatchObject({ errorCode: ErrorCode.CORRUPT_MESSAGE })
  })

  test("19: the topic's compression wins; zstd needs Produce 7", async () => {
    const client = await withTopic({ "compression.type": "gzip" })
    await client.produce("a", batch(["x"]))
    const [record] = await fetchAll(client, "a")
    expect(record!.batch.compression).toBe("gzip")
    expect(record!.value).toBe("x")
    const zstd = batch(["x".repeat(100)], { compression: "zstd" })
    expect(await client.produce("a", zstd, { version: 6 })).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
    })
    expect(await client.produce("a", zstd, { version: 7 })).toMatchObject({ errorCode: 0 })
  })

  test("a topic that is there twice is answered once, one without partitions not at all", async () => {
    const client = await withTopic()
    await client.createTopic("b", 2)
    const part = (index: number) => ({ index, records: batch(["x"]) })
    const response = await client.send(Produce, 11, {
      ...{ acks: -1, timeoutMs: 1000 },
      topicData: [
        { name: "b", partitionData: [part(1)] },
        { name: "a", partitionData: [] },
        { name: "b", partitionData: [part(0)] },
      ],
    })
    expect(response.responses).toMatchObject([{ name: "b", partitionResponses: [{ index: 1 }, { index: 0 }] }])
  })

  test.each([
    ["too large", batch(["x".repeat(2000)]), -1],
    ["corrupt", batch(["x"]).fill(0, 17, 21), -1],
    ["a control batch", batch(["x"], { control: true, producerId: 1, producerEpoch: 0 }), 0],
  ])("22: %s, a batch is told the log start only where Kafka knows it then", async (_, bytes, logStartOffset) => {
    const client = await withTopic({ "max.message.bytes": "1000" })
    expect(await client.produce("a", bytes)).toMatchObject({ baseOffset: -1, logStartOffset })
  })

  test("25: only in a transaction must a producer that the log does not know begin at 0", async () => {
    const client = await withTopic()
    const records = batch(["x"], { producerId: 1, producerEpoch: 0, baseSequence: 5 })
    expect(await client.produce("a", records, { version: 12, transactionalId: "t" })).toMatchObject({ errorCode: 0 })
  })

  test("22: the log start offset is told", async () => {
    const client = await withTopic()
    await client.produce("a", batch(["x", "y", "z"]))
    const { DeleteRecords } = await import("@millrace/protocol/messages/delete-records")
    const topics = [{ name: "a", partitions: [{ partitionIndex: 0, offset: 2 }] }]
    await client.send(DeleteRecords, 2, { topics, timeoutMs: 1000 })
    expect(await client.produce("a", batch(["w"]))).toMatchObject({ errorCode: 0, baseOffset: 3, logStartOffset: 2 })
  })

  test("23, 24: a retried batch is answered with its first offset, a gap in the sequence refused", async () => {
    const client = await withTopic()
    const send = (sequence: number, value: string) =>
      client.produce("a", batch([value], { producerId: 9, producerEpoch: 0, baseSequence: sequence }))
    expect(await send(0, "x")).toMatchObject({ baseOffset: 0 })
    expect(await send(1, "y")).toMatchObject({ baseOffset: 1 })
    expect(await send(0, "x")).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await send(5, "z")).toMatchObject({ errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER })
    expect(await client.offset("a", -1)).toBe(2)
  })

  test("many partitions in one request are settled one by one", async () => {
    const client = await (await start()).client()
    await client.createTopic("a", 3)
    const response = await client.send(Produce, 9, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: "a",
          partitionData: [
            { index: 0, records: batch(["x"]) },
            { index: 9, records: batch(["x"]) },
            { index: 2, records: batch(["x"]) },
          ],
        },
      ],
    })
    expect(response.responses[0]!.partitionResponses.map(({ index, errorCode }) => [index, errorCode])).toEqual([
      [0, 0],
      [9, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [2, 0],
    ])
  })
})
