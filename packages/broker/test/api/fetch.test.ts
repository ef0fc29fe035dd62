import { BufferPool } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { Fetch } from "@millrace/protocol/messages/fetch"
import { AddPartitionsToTxn } from "@millrace/protocol/messages/add-partitions-to-txn"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import { describe, expect, test } from "vitest"
import { batch, type Client, start } from "../harness.ts"
import { fetchAll, fetchOne, readRecords } from "../read.ts"

const READ_COMMITTED = 1

async function withTopic(configs: Record<string, string> = {}, partitions = 1): Promise<Client> {
  const client = await (await start()).client()
  await client.createTopic("a", partitions, configs)
  return client
}

describe("fetch", () => {
  test("50: an offset inside a batch returns the whole batch", async () => {
    const client = await withTopic()
    await client.produce("a", batch(["x", "y", "z"]))
    expect(await fetchAll(client, "a", { offset: 2 })).toMatchObject([{ offset: 0 }, { offset: 1 }, { offset: 2 }])
  })

  test("51: the first batch is returned though larger than every limit; more only within them", async () => {
    const client = await withTopic()
    for (const value of ["x", "y"]) await client.produce("a", batch([value.repeat(1000)]))
    expect(await fetchAll(client, "a", { partitionMaxBytes: 1 })).toHaveLength(1)
    expect(await fetchAll(client, "a", { maxBytes: 1 })).toHaveLength(1)
    expect(await fetchAll(client, "a", { maxBytes: 1500 })).toHaveLength(1)
    expect(await fetchAll(client, "a")).toHaveLength(2)
  })

  test("51: only the first partition with data may exceed the limit; the order of the request is kept", async () => {
    const client = await withTopic({}, 3)
    for (const partition of [1, 2]) await client.produce("a", batch(["x".repeat(1000)]), { partition })
    const partitions = [0, 1, 2].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 10 }))
    const request = { maxWaitMs: 0, minBytes: 1, maxBytes: 10, topics: [{ topic: "a", partitions }] }
    const { responses } = await client.send(Fetch, 12, request)
    expect(
      responses[0]!.partitions.map(({ partitionIndex, records }) => [partitionIndex, records!.length > 0]),
    ).toEqual([
      [0, false],
      [1, true],
      [2, false],
    ])
  })

  test("51: an answer holds memory by its bytes, however many partitions gave a few, or nothing that fitted", async () => {
    const buffers = new BufferPool({ poisons: true })
    const client = await (await start({}, { buffers })).client()
    const fetch = async (topic: string, count: number, maxBytes: number) => {
      const partitions = Array.from({ length: count }, (_, partition) => ({
        ...{ partition, fetchOffset: 0, partitionMaxBytes: 1_000_000 },
      }))
      const { responses } = await client.send(Fetch, 12, {
        ...{ maxWaitMs: 0, minBytes: 1, maxBytes, topics: [{ topic, partitions }] },
      })
      return responses[0]!.partitions.flatMap(({ records }) => readRecords(records).map(({ value }) => value))
    }
    await client.createTopic("small", 100)
    const values = Array.from({ length: 100 }, (_, partition) => `of ${partition}`)
    for (const [partition, value] of values.entries()) await client.produce("small", batch([value]), { partition })
    expect(await fetch("small", 100, 10_000_000)).toEqual(values)
    // All of it came back: what is idle now is the most that was taken at a time.
    expect(buffers.idleBytes).toBeLessThanOrEqual(64 * 1024)

    await client.createTopic("large", 20)
    for (let partition = 0; partition < 20; partition++)
      await client.produce("large", batch(["x".repeat(60_000)]), { partition })
    expect(await fetch("large", 20, 100_000)).toHaveLength(1)
    expect(buffers.idleBytes).toBeLessThanOrEqual(320 * 1024)
  })

  test("52: at the end it waits for minBytes, and answers when they come", async () => {
    const started = await start()
    const [client, producer] = [await started.client(), await started.client()]
    await client.createTopic("a")
    const fetched = fetchOne(client, "a", { maxWaitMs: 20_000, minBytes: 150 })
    await producer.produce("a", batch(["x"]))
    await producer.produce("a", batch(["y".repeat(100)]))
    expect(readRecords((await fetched).records)).toHaveLength(2)
  })

  test("52: with flush.messages=1 a waiting reader is woken by the flush", async () => {
    const started = await start()
    const [client, producer] = [await started.client(), await started.client()]
    await client.createTopic("a", 1, { "flush.messages": "1" })
    const fetched = fetchOne(client, "a", { maxWaitMs: 20_000 })
    await producer.produce("a", batch(["x"]))
    expect(readRecords((await fetched).records)).toHaveLength(1)
  })

  test("52: at the end it answers empty after maxWaitMs", async () => {
    const client = await withTopic()
    expect(await fetchOne(client, "a", { maxWaitMs: 5 })).toMatchObject({ errorCode: 0, highWatermark: 0 })
  })

  test.each([
    [4, ErrorCode.OFFSET_OUT_OF_RANGE, -1],
    [1, ErrorCode.OFFSET_OUT_OF_RANGE, -1],
    [3, ErrorCode.NONE, 2],
  ])("52: offset %i of a log from 2 to 3 gives %i at once, and log start %i", async (offset, errorCode, start) => {
    const client = await withTopic()
    await client.produce("a", batch(["x", "y", "z"]))
    const { DeleteRecords } = await import("@millrace/protocol/messages/delete-records")
    await client.send(DeleteRecords, 2, {
      topics: [{ name: "a", partitions: [{ partitionIndex: 0, offset: 2 }] }],
      timeoutMs: 1000,
    })
    const maxWaitMs = errorCode === ErrorCode.NONE ? 0 : 20_000
    expect(await fetchOne(client, "a", { offset, maxWaitMs })).toMatchObject({ errorCode, logStartOffset: start })
  })

  test("53: nothing to read is an empty buffer, never null, with all offsets", async () => {
    const client = await withTopic()
    for (const version of [4, 11, 12, 18]) {
      const topicId = await client.topicId("a")
      const topic = version >= 13 ? { topicId } : { topic: "a" }
      const response = await client.send(Fetch, version, {
        maxWaitMs: 0,
        minBytes: 1,
        topics: [{ ...topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] }],
      })
      const partition = response.responses[0]!.partitions[0]!
      expect(partition).toMatchObject({
        errorCode: 0,
        highWatermark: 0,
        lastStableOffset: 0,
        abortedTransactions: null,
      })
      expect(partition.records).toHaveLength(0)
    }
  })

  test("a partition that is asked for twice is read once, as it was asked for last", async () => {
    const client = await withTopic()
    await client.produce("a", batch(["x"]))
    await client.produce("a", batch(["y"]))
    const asked = { partition: 0, partitionMaxBytes: 1000 }
    const response = await client.send(Fetch, 12, {
      ...{ maxWaitMs: 0, minBytes: 1 },
      topics: [
        {
          topic: "a",
          partitions: [
            { ...asked, fetchOffset: 0 },
            { ...asked, fetchOffset: 1 },
          ],
        },
      ],
    })
    expect(response.responses).toHaveLength(1)
    expect(
      response.responses[0]!.partitions.map(({ records }) => readRecords(records).map(({ value }) => value)),
    ).toEqual([["y"]])
  })

  test("58: the epoch that lasts ends where the log does, also where it has no record yet", async () => {
    const client = await withTopic()
    await client.produce("a", batch(["x"]))
    await client.createTopic("empty")
    const asked = { currentLeaderEpoch: 0, lastFetchedEpoch: 0 }
    // Its files are there as soon as somebody asked for an offset that it does not have.
    expect(await fetchOne(client, "empty", { offset: 1 })).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE })
    const none = { epoch: -1, endOffset: -1 }
    expect(await fetchOne(client, "empty", asked)).toMatchObject({ errorCode: 0, divergingEpoch: none })
    expect(await fetchOne(client, "empty", { ...asked, offset: 3 })).toMatchObject({
      ...{ errorCode: 0, divergingEpoch: { epoch: 0, endOffset: 0 } },
    })
    expect(await fetchOne(client, "a", { ...asked, offset: 1 })).toMatchObject({ errorCode: 0, divergingEpoch: none })
  })

  test("58: any negative leader epoch says nothing", async () => {
    const client = await withTopic()
    expect(await fetchOne(client, "a", { currentLeaderEpoch: -2 })).toMatchObject({ errorCode: 0 })
  })

  test("58: leader epochs are fenced in both directions, a divergence is told without records", async () => {
    const client = await withTopic()
    await client.produce("a", batch(["x"]))
    expect(await fetchOne(client, "a", { currentLeaderEpoch: 1 })).toMatchObject({
      errorCode: ErrorCode.UNKNOWN_LEADER_EPOCH,
    })
    expect(await fetchOne(client, "a", { currentLeaderEpoch: 0 })).toMatchObject({ errorCode: 0 })
    expect(await fetchOne(client, "a", { lastFetchedEpoch: 0 })).toMatchObject({ errorCode: 0 })
    const diverged = await fetchOne(client, "a", { offset: 5, lastFetchedEpoch: 0, maxWaitMs: 20_000 })
    expect(diverged).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 0, endOffset: 1 } })
    expect(diverged.records).toHaveLength(0)
  })

  test("a waiting fetch of a deleted topic is told", async () => {
    const started = await start()
    const [client, other] = [await started.client(), await started.client()]
    await client.createTopic("a")
    const fetched = fetchOne(client, "a", { maxWaitMs: 20_000 })
    const { DeleteTopics } = await import("@millrace/protocol/messages/delete-topics")
    await other.send(DeleteTopics, 5, { topicNames: ["a"], timeoutMs: 1000 })
    expect(await fetched).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  })
})

describe("read committed", () => {
  async function producer(client: Client, transactionalId = "t") {
    await client.send(FindCoordinator, 4, { keyType: 1, coordinatorKeys: [transactionalId] })
    const { producerId, producerEpoch, errorCode } = await client.send(InitProducerId, 4, {
      transactionalId,
      transactionTimeoutMs: 60_000,
    })
    expect(errorCode).toBe(0)
    let sequence = 0
    return {
      producerId,
      async begin() {
        const response = await client.send(AddPartitionsToTxn, 3, {
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: [{ name: "a", partitions: [0] }],
        })
        expect(response.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode).toBe(0)
      },
      send(value: string, version = 11) {
        const options = { producerId, producerEpoch, baseSequence: sequence++, transactional: true }
        return client.produce("a", batch([value], options), { transactionalId, version })
      },
      async end(committed: boolean) {
        const request = { transactionalId, producerId, producerEpoch, committed }
        expect(await client.send(EndTxn, 3, request)).toMatchObject({ errorCode: 0 })
      },
    }
  }

  test("31, 33, 34: nothing at or after the last stable offset is seen before the commit, markers take offsets", async () => {
    const client = await withTopic()
    const transaction = await producer(client)
    await client.produce("a", batch(["before"]))
    await transaction.begin()
    expect(await transaction.send("inside")).toMatchObject({ errorCode: 0, baseOffset: 1 })
    await client.produce("a", batch(["after"]))
    const open = await fetchOne(client, "a", { isolationLevel: READ_COMMITTED })
    expect(open).toMatchObject({ highWatermark: 3, lastStableOffset: 1, abortedTransactions: [] })
    expect(readRecords(open.records).map(({ value }) => value)).toEqual(["before"])
    expect(await client.offset("a", -1, READ_COMMITTED)).toBe(1)
    expect(await client.offset("a", -1)).toBe(3)
    expect(await fetchAll(client, "a")).toHaveLength(3)
    await transaction.end(true)
    const closed = await fetchOne(client, "a", { isolationLevel: READ_COMMITTED, maxWaitMs: 10_000, offset: 3 })
    expect(closed).toMatchObject({ highWatermark: 4, lastStableOffset: 4 })
    expect(readRecords(closed.records)[0]!.batch.isControl).toBe(true)
  })

  test("31: a reader that waits is woken by the commit", async () => {
    const started = await start()
    const [client, reader] = [await started.client(), await started.client()]
    await client.createTopic("a")
    const transaction = await producer(client)
    await transaction.begin()
    await transaction.send("inside")
    const fetched = fetchOne(reader, "a", { isolationLevel: READ_COMMITTED, maxWaitMs: 20_000 })
    await transaction.end(true)
    expect(readRecords((await fetched).records)[0]).toMatchObject({ value: "inside" })
  })

  test("32: aborted transactions are named where they overlap, null under read_uncommitted", async () => {
    const client = await withTopic()
    const transaction = await producer(client)
    await transaction.begin()
    await transaction.send("gone")
    await transaction.end(false)
    await client.produce("a", batch(["kept"]))
    const { producerId } = transaction
    expect(await fetchOne(client, "a", { isolationLevel: READ_COMMITTED, maxWaitMs: 1000 })).toMatchObject({
      abortedTransactions: [{ producerId, firstOffset: 0 }],
    })
    expect(await fetchOne(client, "a", { isolationLevel: READ_COMMITTED, offset: 2 })).toMatchObject({
      abortedTransactions: [],
    })
    expect(await fetchOne(client, "a")).toMatchObject({ abortedTransactions: null })
    expect((await fetchAll(client, "a")).map(({ value }) => value)).toContain("gone")
  })

  test("42: a transactional batch whose partition is not in the transaction is not appended", async () => {
    const client = await withTopic()
    const transaction = await producer(client)
    expect((await transaction.send("hanging", 11)).errorCode).toBe(ErrorCode.TRANSACTION_ABORTABLE)
    expect((await transaction.send("hanging", 10)).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
    await producer(client)
    for (const version of [11, 12]) {
      expect((await transaction.send("fenced", version)).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    }
    expect(await client.offset("a", -1)).toBe(0)
  })

  test("26: whoever has another epoch than the open transaction is asked after at its coordinator", async () => {
    const client = await withTopic()
    const transaction = await producer(client)
    await transaction.begin()
    await transaction.send("inside")
    const { producerId } = transaction
    const records = batch(["other"], { producerId, producerEpoch: 7, baseSequence: 5, transactional: true })
    for (const version of [11, 12]) {
      const refused = await client.produce("a", records.slice(), { transactionalId: "t", version })
      expect(refused.errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    }
  })

  test("42: to verify or to join a partition that is not there is refused with all of its transaction", async () => {
    const client = await withTopic()
    const { producerId } = await producer(client)
    const topics = [
      { name: "a", partitions: [0] },
      { name: "nowhere", partitions: [0] },
    ]
    const { resultsByTransaction } = await client.send(AddPartitionsToTxn, 5, {
      transactions: [{ transactionalId: "t", producerId, producerEpoch: 0, verifyOnly: true, topics }],
    })
    const told = resultsByTransaction[0]!.topicResults.flatMap(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    )
    expect(told).toEqual([ErrorCode.OPERATION_NOT_ATTEMPTED, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  })

  test("45: a group without a name is none, whatever the transaction", async () => {
    const client = await withTopic()
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }]
    const { topics } = await client.send(TxnOffsetCommit, 3, {
      ...{ transactionalId: "t", groupId: "", producerId: 9, producerEpoch: 0, topics: [{ name: "a", partitions }] },
    })
    expect(topics[0]!.partitions).toEqual([{ partitionIndex: 0, errorCode: ErrorCode.INVALID_GROUP_ID }])
  })

  test.each([
    [3, ErrorCode.INVALID_TXN_STATE],
    [4, ErrorCode.TRANSACTION_ABORTABLE],
  ])("45: in v%i offsets of a group that is not in the transaction are refused with %i", async (version, errorCode) => {
    const client = await withTopic()
    await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] })
    const { producerId } = await producer(client)
    const partitions = [0, 7].map((partitionIndex) => ({ partitionIndex, committedOffset: 1, committedMetadata: "" }))
    const { topics } = await client.send(TxnOffsetCommit, version, {
      ...{ transactionalId: "t", groupId: "g", producerId, producerEpoch: 0, topics: [{ name: "a", partitions }] },
    })
    expect(topics[0]!.partitions).toEqual([
      { partitionIndex: 0, errorCode },
      { partitionIndex: 7, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ])
  })
})
