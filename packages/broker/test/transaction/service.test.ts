/** The transaction coordinator around its shard: producer ids, markers, API versions. */
import { describe, expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import type { EndTransactionMarker } from "../../src/coordinator/shard.ts"
import type { MarkerOutcome, ProducerIdBlocks, TopicPartition } from "../../src/transaction/coordinator.ts"
import { TransactionCoordinatorService } from "../../src/transaction/service.ts"
import { MemoryLog } from "../coordinator/memory-log.ts"
import { pass, settled, startClock } from "../coordinator/passing-time.ts"
import { testConfig } from "./transaction-harness.ts"

interface Written extends TopicPartition {
  readonly marker: EndTransactionMarker
}

function start(options: { log?: MemoryLog; blocks?: ProducerIdBlocks } = {}) {
  const log = options.log ?? new MemoryLog()
  const clock = startClock()
  const written: Written[] = []
  const outcomes: MarkerOutcome[] = []
  let nextBlock = 0
  const transactions = new TransactionCoordinatorService({
    log,
    clock,
    config: { ...testConfig, "offsets.commit.timeout.ms": 5000 },
    markers: {
      writeMarker: async (partition, marker) => {
        const outcome = outcomes.shift() ?? "written"
        if (outcome === "written") written.push({ ...partition, marker })
        return outcome
      },
    },
    producerIds: options.blocks ?? {
      allocate: async () => ({ firstProducerId: 1000 * nextBlock++, size: 2 }),
    },
    groupPartition: (groupId) => (groupId === "absent" ? undefined : 7),
    fault: (_, error) => {
      throw error
    },
    defect: (_, error) => {
      throw error
    },
  })
  transactions.onElection(0, 4)
  const init = (transactionalId: string | null) =>
    transactions.initProducerId(
      { apiVersion: 5 },
      {
        transactionalId,
        transactionTimeoutMs: 60_000,
        producerId: -1,
        producerEpoch: -1,
        enable2Pc: false,
        keepPreparedTxn: false,
      },
    )
  const add = (producer: { producerId: number; producerEpoch: number }, partitions: number[], apiVersion = 3) =>
    transactions.addPartitionsToTxn(
      { apiVersion },
      {
        transactions: [],
        v3AndBelowTransactionalId: "tx",
        v3AndBelowProducerId: producer.producerId,
        v3AndBelowProducerEpoch: producer.producerEpoch,
        v3AndBelowTopics: [{ name: "t", partitions }],
      },
    )
  const end = ({ producerId, producerEpoch }: { producerId: number; producerEpoch: number }, committed: boolean) =>
    transactions.endTxn({ apiVersion: 4 }, { transactionalId: "tx", producerId, producerEpoch, committed })
  const describeOne = async () =>
    (await transactions.describeTransactions({ apiVersion: 0 }, { transactionalIds: ["tx"] })).transactionStates[0]
  return { transactions, clock, log, written, outcomes, init, add, end, describeOne }
}

describe("producer ids", () => {
  test("36: without a transactional id each is new, at epoch 0", async () => {
    const { init } = start()
    const ids = [await init(null), await init(null), await init(null), await init("tx")]
    expect(ids.every(({ producerEpoch, errorCode }) => producerEpoch === 0 && errorCode === ErrorCode.NONE)).toBe(true)
    expect(new Set(ids.map(({ producerId }) => producerId)).size).toBe(4)
  })

  test("many asked for at once are all different", async () => {
    const { init } = start()
    const answers = await Promise.all(Array.from({ length: 20 }, () => init(null)))
    const given = answers.filter(({ errorCode }) => errorCode === ErrorCode.NONE).map(({ producerId }) => producerId)
    expect(new Set(given).size).toBe(given.length)
    const refused = answers.filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
    expect(refused.every(({ errorCode }) => errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)).toBe(true)
  })

  test("a controller that gives none is asked again at the next request", async () => {
    let refusals = 1
    const blocks: ProducerIdBlocks = {
      allocate: async () => {
        if (refusals-- > 0) throw new Error("no leader")
        return { firstProducerId: 5, size: 10 }
      },
    }
    const { init } = start({ blocks })
    expect((await init(null)).errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    expect(await init(null)).toMatchObject({ producerId: 5, producerEpoch: 0 })
  })
})

describe("markers", () => {
  test("go to every partition of the transaction, groups' offsets too, with the coordinator's epoch", async () => {
    const { transactions, init, add, end, written, describeOne } = start()
    const producer = await init("tx")
    await add(producer, [0, 2])
    const offsets = { transactionalId: "tx", ...producer, groupId: "g" }
    expect(await transactions.addOffsetsToTxn({ apiVersion: 3 }, offsets)).toMatchObject({ errorCode: ErrorCode.NONE })
    expect(await describeOne()).toMatchObject({ transactionState: "Ongoing" })
    expect(await end(producer, true)).toMatchObject({ errorCode: ErrorCode.NONE })
    await settled()
    expect(written.map(({ topic, partition }) => `${topic}-${partition}`)).toEqual([
      "t-0",
      "t-2",
      "__consumer_offsets-7",
    ])
    const { producerId, producerEpoch } = producer
    expect(written[0]?.marker).toEqual({ producerId, producerEpoch, commit: true, coordinatorEpoch: 4 })
    expect(await describeOne()).toMatchObject({ transactionState: "CompleteCommit", topics: [] })
  })

  test("are written again until all are there; a partition that is gone is left out", async () => {
    const { init, add, end, written, outcomes, clock, describeOne } = start()
    const producer = await init("tx")
    await add(producer, [0, 1, 2])
    outcomes.push("retry", "gone", "written", "retry")
    await end(producer, false)
    await settled()
    expect(await describeOne()).toMatchObject({ transactionState: "PrepareAbort" })
    await pass(clock, 200)
    expect(written.map(({ partition }) => partition)).toEqual([2, 0])
    expect(await describeOne()).toMatchObject({ transactionState: "CompleteAbort" })
  })

  test("leave only once the decision is committed", async () => {
    const { transactions, init, add, end, written, log } = start()
    const producer = await init("tx")
    await add(producer, [0])
    log.hold()
    const ended = end(producer, true)
    await settled()
    expect(written).toEqual([])
    transactions.onHighWatermark(0, log.release())
    await ended
    await settled()
    expect(written).toHaveLength(1)
  })

  test("49: are written by the next coordinator when this one dies before them", async () => {
    const first = start()
    const producer = await first.init("tx")
    await first.add(producer, [0])
    first.outcomes.push("retry")
    await first.end(producer, true)
    first.transactions.onResignation(0)
    await pass(first.clock, 1000)
    expect(first.written).toEqual([])
    const second = start({ log: first.log })
    await pass(second.clock, 100)
    expect(second.written.map(({ partition, marker }) => [partition, marker.commit])).toEqual([[0, true]])
    expect(await second.describeOne()).toMatchObject({ transactionState: "CompleteCommit" })
  })

  test("a completion that the log refuses is tried again", async () => {
    const { init, add, end, log, clock, describeOne, outcomes, written } = start()
    const producer = await init("tx")
    await add(producer, [0])
    outcomes.push("retry")
    await end(producer, true)
    log.failNext(ErrorCode.NOT_ENOUGH_REPLICAS)
    await pass(clock, 100)
    expect(written).toHaveLength(1)
    expect(await describeOne()).toMatchObject({ transactionState: "PrepareCommit" })
    await pass(clock, 100)
    expect(await describeOne()).toMatchObject({ transactionState: "CompleteCommit" })
    expect(written).toHaveLength(1)
  })
})

describe("API versions", () => {
  test("26: PRODUCER_FENCED is INVALID_PRODUCER_EPOCH before KIP-588", async () => {
    const { transactions, init, add } = start()
    const old = await init("tx")
    await init("tx")
    const errorOf = async (apiVersion: number) =>
      (await add(old, [0], apiVersion)).resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode
    expect([await errorOf(1), await errorOf(2)]).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.PRODUCER_FENCED])
    const request = { transactionalId: "tx", producerId: old.producerId, producerEpoch: 0, groupId: "g" }
    const offsets = [1, 2].map((apiVersion) => transactions.addOffsetsToTxn({ apiVersion }, request))
    expect((await Promise.all(offsets)).map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_PRODUCER_EPOCH,
      ErrorCode.PRODUCER_FENCED,
    ])
  })

  test("42, V8: v4 and later verify many transactions", async () => {
    const { transactions, init, add } = start()
    const producer = await init("tx")
    await add(producer, [0])
    const verify = (apiVersion: number) =>
      transactions.addPartitionsToTxn(
        { apiVersion },
        {
          transactions: [
            {
              transactionalId: "tx",
              producerId: producer.producerId,
              producerEpoch: 0,
              verifyOnly: true,
              topics: [{ name: "t", partitions: [0, 1] }],
            },
          ],
          v3AndBelowTransactionalId: "",
          v3AndBelowProducerId: 0,
          v3AndBelowProducerEpoch: 0,
          v3AndBelowTopics: [],
        },
      )
    const errors = async (apiVersion: number) =>
      (await verify(apiVersion)).resultsByTransaction[0]?.topicResults[0]?.resultsByPartition.map(
        ({ partitionErrorCode }) => partitionErrorCode,
      )
    // What its client may be told is the asking broker's business: this version is as far as the answer goes.
    for (const version of [4, 5]) {
      expect(await errors(version)).toEqual([ErrorCode.NONE, ErrorCode.TRANSACTION_ABORTABLE])
    }
  })

  test("a group whose topic is absent has no coordinator", async () => {
    const { transactions, init } = start()
    const { producerId, producerEpoch } = await init("tx")
    const request = { transactionalId: "tx", producerId, producerEpoch, groupId: "absent" }
    expect(await transactions.addOffsetsToTxn({ apiVersion: 3 }, request)).toMatchObject({
      errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    })
  })
})

test("48: transactions are listed by state, producer, duration and pattern", async () => {
  const { transactions, init, add, clock } = start()
  const producer = await init("tx")
  await init("idle")
  await add(producer, [0])
  await pass(clock, 1000)
  const list = async (filter: {
    stateFilters?: string[]
    durationFilter?: number
    transactionalIdPattern?: string
  }) => {
    const answer = await transactions.listTransactions(
      { apiVersion: 2 },
      { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null, ...filter },
    )
    return [
      answer.errorCode,
      answer.unknownStateFilters,
      answer.transactionStates.map(({ transactionalId }) => transactionalId),
    ]
  }
  expect(await list({})).toEqual([0, [], ["tx", "idle"]])
  expect(await list({ stateFilters: ["Ongoing", "Nonsense"] })).toEqual([0, ["Nonsense"], ["tx"]])
  expect(await list({ stateFilters: ["Ongoing"], durationFilter: 2000 })).toEqual([0, [], []])
  expect(await list({ transactionalIdPattern: "id.*" })).toEqual([0, [], ["idle"]])
  expect(await list({ transactionalIdPattern: "(" })).toEqual([ErrorCode.INVALID_REGULAR_EXPRESSION, [], []])
})

test("48: a pattern is one of RE2, as in Kafka, and takes no more than linear time", async () => {
  const { transactions, init } = start()
  await init("a".repeat(60))
  const list = async (transactionalIdPattern: string) => {
    const filters = { stateFilters: [], producerIdFilters: [], durationFilter: -1 }
    const answer = await transactions.listTransactions({ apiVersion: 2 }, { ...filters, transactionalIdPattern })
    return [answer.errorCode, answer.transactionStates.length]
  }
  // Who goes back to try otherwise tries two to the sixtieth ways.
  expect(await list("(a+)+b")).toEqual([0, 0])
  expect(await list("(a+)+")).toEqual([0, 1])
  expect(await list("(?=a)a+")).toEqual([ErrorCode.INVALID_REGULAR_EXPRESSION, 0])
})
