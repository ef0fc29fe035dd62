import { describe, expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import {
  CommitOutcomeUnknown,
  IllegalStateError,
  type Producer,
  type ProducerOptions,
  ProducerFenced,
  TransactionAbortable,
} from "../../src/index.ts"
import { ScriptedBroker } from "../support/scripted-broker.ts"

const value = Buffer.from("v")
const GROUP = { groupId: "g", generationId: 3, memberId: "m", groupInstanceId: "i-1" }

async function started(options: ProducerOptions = {}): Promise<{ broker: ScriptedBroker; producer: Producer }> {
  const broker = new ScriptedBroker()
  const client = await broker.client()
  const producer = client.producer({ transactionalId: "txn", transactionRequestTimeoutMs: 5000, ...options })
  await producer.initTransactions()
  producer.beginTransaction()
  return { broker, producer }
}

describe("protocol 1", () => {
  test("initTransactions asks with -1/-1, whatever the broker had before", async () => {
    const { broker } = await started()
    expect(broker.named("InitProducerId").map(({ body }) => [body.producerId, body.producerEpoch])).toEqual([[-1, -1]])
  })

  test("no partition is produced to before it was announced, and none is forgotten", async () => {
    const { broker, producer } = await started({ lingerMs: 0 })
    for (let partition = 0; partition < 4; partition++) {
      producer.append("t", partition, 0, null, value)
      for (let turn = 0; turn < partition; turn++) await Promise.resolve()
    }
    await producer.commitTransaction()
    const announced = new Set<number>()
    for (const { api, body } of broker.log) {
      if (api === "AddPartitionsToTxn") {
        for (const topic of body.v3AndBelowTopics) for (const partition of topic.partitions) announced.add(partition)
      }
      if (api !== "Produce") continue
      for (const topic of body.topicData)
        for (const { index } of topic.partitionData) expect(announced).toContain(index)
    }
    expect(announced.size).toBe(4)
    expect(broker.appended.length).toBe(4)
    expect(broker.named("Produce").every(({ version }) => version <= 11)).toBe(true)
    expect(broker.named("EndTxn").map(({ version, body }) => [version <= 4, body.committed])).toEqual([[true, true]])
  })

  test("E4: offsets go in one TxnOffsetCommit with the whole group metadata", async () => {
    const { broker, producer } = await started()
    const offsets = [0, 1, 2].map((partition) => ({ topic: "in", partition, offset: 10 + partition }))
    await producer.sendOffsetsToTransaction(offsets, GROUP)
    await producer.commitTransaction()
    const [request, ...more] = broker.named("TxnOffsetCommit")
    expect(more).toEqual([])
    expect(request!.body).toMatchObject({
      groupId: "g",
      generationIdOrMemberEpoch: 3,
      memberId: "m",
      groupInstanceId: "i-1",
    })
    expect(
      request!.body.topics[0].partitions.map((entry: { committedOffset: number }) => entry.committedOffset),
    ).toEqual([10, 11, 12])
    expect(broker.named("AddOffsetsToTxn").length).toBe(1)
  })

  test("E3: an empty transaction asks the coordinator nothing", async () => {
    const { broker, producer } = await started()
    await producer.commitTransaction()
    producer.beginTransaction()
    await producer.abortTransaction()
    expect(broker.named("EndTxn")).toEqual([])
  })

  test("a lost answer to EndTxn is asked for again", async () => {
    const { broker, producer } = await started()
    broker.script("EndTxn", () => "cut")
    producer.append("t", 0, 0, null, value)
    await producer.commitTransaction()
    expect(broker.named("EndTxn").length).toBe(2)
  })

  test("E7: EndTxn without any answer is an unknown outcome, and only a new initialisation leads on", async () => {
    const { broker, producer } = await started()
    broker.handlers.set("EndTxn", () => "cut")
    producer.append("t", 0, 0, null, value)
    await expect(producer.commitTransaction()).rejects.toBeInstanceOf(CommitOutcomeUnknown)
    expect(() => producer.beginTransaction()).toThrow(IllegalStateError)
    await expect(producer.abortTransaction()).rejects.toBeInstanceOf(IllegalStateError)
    broker.handlers.set("EndTxn", () => ({ errorCode: 0 }))
    await producer.initTransactions()
    producer.beginTransaction()
    producer.append("t", 0, 0, null, value)
    await producer.commitTransaction()
    // Sequences begin anew with the new epoch.
    expect(broker.appended.map(({ epoch, sequence }) => [epoch, sequence])).toEqual([
      [0, 0],
      [1, 0],
    ])
  })

  test("fenced after a lost answer is an unknown outcome too", async () => {
    const { broker, producer } = await started()
    broker.script(
      "EndTxn",
      () => "cut",
      () => ({ errorCode: ErrorCode.PRODUCER_FENCED }),
    )
    producer.append("t", 0, 0, null, value)
    await expect(producer.commitTransaction()).rejects.toBeInstanceOf(CommitOutcomeUnknown)
  })

  test("a coordinator that never came to write its decision may have written it", async () => {
    const { broker, producer } = await started()
    broker.handlers.set("EndTxn", () => ({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }))
    producer.append("t", 0, 0, null, value)
    await expect(producer.commitTransaction()).rejects.toBeInstanceOf(CommitOutcomeUnknown)
  })

  test("a request that was never answered and never sent is told apart", async () => {
    const { broker, producer } = await started()
    broker.script("EndTxn", () => ({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }))
    producer.append("t", 0, 0, null, value)
    await producer.commitTransaction()
    expect(broker.named("EndTxn").length).toBe(2)
  })

  test.each(["AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn"])("E6: PRODUCER_FENCED in %s is fatal", async (api) => {
    const { broker, producer } = await started()
    broker.handlers.set(api, (body) => ({
      errorCode: ErrorCode.PRODUCER_FENCED,
      resultsByTopicV3AndBelow: (body.v3AndBelowTopics ?? []).map((topic: { name: string; partitions: number[] }) => ({
        name: topic.name,
        resultsByPartition: topic.partitions.map((partitionIndex) => ({
          partitionIndex,
          partitionErrorCode: ErrorCode.PRODUCER_FENCED,
        })),
      })),
    }))
    producer.append("t", 0, 0, null, value)
    const commit = producer
      .sendOffsetsToTransaction([{ topic: "in", partition: 0, offset: 1 }], GROUP)
      .then(() => producer.commitTransaction())
    await expect(commit).rejects.toBeInstanceOf(ProducerFenced)
    expect(() => producer.append("t", 0, 0, null, value)).toThrow(ProducerFenced)
    expect(() => producer.beginTransaction()).toThrow(ProducerFenced)
  })

  test("CONCURRENT_TRANSACTIONS is waited out", async () => {
    const { broker, producer } = await started()
    const busy = (body: { v3AndBelowTopics: { name: string; partitions: number[] }[] }) => ({
      resultsByTopicV3AndBelow: body.v3AndBelowTopics.map((topic) => ({
        name: topic.name,
        resultsByPartition: topic.partitions.map((partitionIndex) => ({
          partitionIndex,
          partitionErrorCode: ErrorCode.CONCURRENT_TRANSACTIONS,
        })),
      })),
    })
    broker.script("AddPartitionsToTxn", busy, busy, busy)
    producer.append("t", 0, 0, null, value)
    await producer.commitTransaction()
    expect(broker.named("AddPartitionsToTxn").length).toBe(4)
    expect(broker.appended.length).toBe(1)
  })

  test("flush refuses when the records were dropped unsent because their transaction had failed", async () => {
    const { broker, producer } = await started()
    broker.script("AddPartitionsToTxn", (body: { v3AndBelowTopics: { name: string; partitions: number[] }[] }) => ({
      resultsByTopicV3AndBelow: body.v3AndBelowTopics.map((topic) => ({
        name: topic.name,
        resultsByPartition: topic.partitions.map((partitionIndex) => ({
          partitionIndex,
          partitionErrorCode: ErrorCode.PRODUCER_FENCED,
        })),
      })),
    }))
    producer.append("t", 0, 0, null, value)
    await expect(producer.flush()).rejects.toBeInstanceOf(ProducerFenced)
    expect(broker.named("Produce")).toEqual([])
  })

  test("E12: a failed batch makes the commit refuse; the abort bumps the epoch through InitProducerId", async () => {
    const { broker, producer } = await started()
    broker.script("Produce", (body) => broker.append(body, ErrorCode.MESSAGE_TOO_LARGE))
    producer.append("t", 0, 0, null, value)
    await expect(producer.commitTransaction()).rejects.toBeInstanceOf(TransactionAbortable)
    await producer.abortTransaction()
    expect(broker.named("EndTxn").map(({ body }) => body.committed)).toEqual([false])
    expect(broker.named("InitProducerId").at(-1)!.body).toMatchObject({ producerId: 7, producerEpoch: 0 })
    producer.beginTransaction()
    producer.append("t", 0, 0, null, value)
    await producer.commitTransaction()
    expect(broker.appended).toEqual([{ partition: 0, sequence: 0, epoch: 1, count: 1 }])
  })

  test("without a failure an abort keeps the epoch and the sequence goes on", async () => {
    const { broker, producer } = await started()
    producer.append("t", 0, 0, null, value)
    await producer.flush()
    await producer.abortTransaction()
    producer.beginTransaction()
    producer.append("t", 0, 0, null, value)
    await producer.commitTransaction()
    expect(broker.appended.map(({ epoch, sequence }) => [epoch, sequence])).toEqual([
      [0, 0],
      [0, 1],
    ])
  })

  test("E4: commit waits for every batch, also over a retry", async () => {
    const { broker, producer } = await started()
    broker.script(
      "Produce",
      (body) => broker.append(body, ErrorCode.NOT_LEADER_OR_FOLLOWER),
      () => "cut",
    )
    producer.append("t", 0, 0, null, value)
    await producer.commitTransaction()
    expect(broker.named("Produce").length).toBe(3)
    const order = broker.log.map(({ api }) => api)
    expect(order.lastIndexOf("Produce")).toBeLessThan(order.indexOf("EndTxn"))
  })
})

describe("protocol 2", () => {
  test("E11: no partitions are announced, and every end answers a new epoch", async () => {
    const broker = new ScriptedBroker()
    broker.features = [{ name: "transaction.version", level: 2 }]
    let epoch = 0
    broker.handlers.set("EndTxn", () => ({ errorCode: 0, producerId: 7, producerEpoch: ++epoch }))
    const producer = (await broker.client()).producer({ transactionalId: "txn" })
    await producer.initTransactions()
    for (let round = 0; round < 3; round++) {
      producer.beginTransaction()
      producer.append("t", 0, 0, null, value)
      await producer.sendOffsetsToTransaction([{ topic: "in", partition: 0, offset: 1 }], GROUP)
      await (round === 1 ? (await producer.flush(), producer.abortTransaction()) : producer.commitTransaction())
    }
    expect(broker.named("AddPartitionsToTxn")).toEqual([])
    expect(broker.named("AddOffsetsToTxn")).toEqual([])
    expect(broker.named("Produce").every(({ version }) => version >= 12)).toBe(true)
    expect(broker.named("TxnOffsetCommit").every(({ version }) => version === 5)).toBe(true)
    expect(broker.appended.map((batch) => [batch.epoch, batch.sequence])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ])
  })
})
