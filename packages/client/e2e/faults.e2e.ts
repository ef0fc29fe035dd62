import { afterAll, describe, expect, test } from "vitest"
import { nodeHost } from "@millrace/host/node"
import { CommitOutcomeUnknown, KafkaClient } from "../src/index.ts"
import { brokers, bytes, fresh, newClient, newTopic, readAll } from "./cluster.ts"
import { FlakyNet } from "./flaky-net.ts"

const steady = newClient()
const net = new FlakyNet()
const flaky = new KafkaClient({
  host: nodeHost,
  net,
  brokers,
  clientId: "flaky",
  reconnectBackoffMs: 5,
  retryBackoffMs: 5,
})
afterAll(async () => {
  net.cutOneOf(Number.POSITIVE_INFINITY)
  await Promise.all([steady.close(), flaky.close()])
})

test("an idempotent producer writes every record once and in order, however often its connections die", async () => {
  const topic = await newTopic(steady, 3)
  const producer = flaky.producer({ batchSize: 200, maxRequestSize: 500, lingerMs: 0 })
  net.cutOneOf(20)
  const before = net.cuts
  const each = 3000
  for (let index = 0; index < each; index++) {
    for (const partition of [0, 1, 2]) producer.append(topic, partition, index, null, bytes(String(index)))
    // Small requests, many of them in flight.
    if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await producer.flush()
  net.cutOneOf(Number.POSITIVE_INFINITY)
  await producer.close()
  expect(net.cuts - before).toBeGreaterThan(5)
  const records = await readAll(steady, topic)
  for (const partition of [0, 1, 2]) {
    const values = records.filter((record) => record.partition === partition).map(({ value }) => Number(value))
    expect(values).toEqual(Array.from({ length: each }, (_, index) => index))
  }
})

test("a consumer sees everything once over dying connections", async () => {
  const topic = await newTopic(steady, 2)
  const producer = steady.producer({ batchSize: 1000 })
  const count = 20_000
  for (let index = 0; index < count; index++) producer.append(topic, index % 2, index, null, bytes(String(index)))
  await producer.flush()
  await producer.close()
  net.cutOneOf(10)
  const before = net.cuts
  const records = await readAll(flaky, topic, "read_committed", { maxPartitionFetchBytes: 1000 })
  net.cutOneOf(Number.POSITIVE_INFINITY)
  expect(net.cuts - before).toBeGreaterThan(3)
  expect(records.map(({ value }) => Number(value)).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: count }, (_, index) => index),
  )
})

describe.each([1, 2] as const)("protocol %i", (transactionVersionMax) => {
  test("every transaction is whole or absent, as its outcome said, over dying connections", async () => {
    const topic = await newTopic(steady, 3)
    const producer = flaky.producer({
      transactionalId: fresh("txn"),
      transactionVersionMax,
      transactionRequestTimeoutMs: 10_000,
    })
    await producer.initTransactions()
    net.cutOneOf(25)
    const outcomes = new Map<number, "committed" | "aborted" | "unknown">()
    for (let round = 0; round < 40; round++) {
      producer.beginTransaction()
      for (const partition of [0, 1, 2]) producer.append(topic, partition, round, null, bytes(`${round}`))
      try {
        if (round % 5 === 4) {
          await producer.abortTransaction()
          outcomes.set(round, "aborted")
        } else {
          await producer.commitTransaction()
          outcomes.set(round, "committed")
        }
      } catch (error) {
        if (!(error instanceof CommitOutcomeUnknown)) throw error
        outcomes.set(round, "unknown")
        await producer.initTransactions()
      }
    }
    net.cutOneOf(Number.POSITIVE_INFINITY)
    await producer.close()
    const counts = new Map<number, number>()
    for (const { value } of await readAll(steady, topic))
      counts.set(Number(value), (counts.get(Number(value)) ?? 0) + 1)
    for (const [round, outcome] of outcomes) {
      const count = counts.get(round) ?? 0
      if (outcome === "committed") expect([round, count]).toEqual([round, 3])
      else if (outcome === "aborted") expect([round, count]).toEqual([round, 0])
      else expect([0, 3]).toContain(count)
    }
  })
})
