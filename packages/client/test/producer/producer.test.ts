import { expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { KafkaError, TimeoutError } from "../../src/index.ts"
import { ScriptedBroker } from "../support/scripted-broker.ts"

const value = Buffer.from("v")

test("records of one partition share a batch, partitions share a request", async () => {
  const broker = new ScriptedBroker()
  const producer = (await broker.client()).producer()
  for (let index = 0; index < 40; index++) producer.append("t", index % 4, index, null, value)
  await producer.flush()
  expect(broker.named("Produce").length).toBe(1)
  expect(broker.appended.map(({ count }) => count)).toEqual([10, 10, 10, 10])
})

test("a lost answer is sent again with the same sequence, in order", async () => {
  const broker = new ScriptedBroker()
  const producer = (await broker.client()).producer({ batchSize: 80 })
  broker.script("Produce", (body) => (broker.append(body), "cut"))
  for (let index = 0; index < 5; index++) producer.append("t", 0, index, null, value)
  await producer.flush()
  const first = broker.appended.filter(({ sequence }) => sequence === 0)
  expect(first.length).toBeGreaterThanOrEqual(2)
  expect(broker.appended.slice(1).map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4])
})

test("delivery that takes too long fails in flush and send, with the time", async () => {
  const broker = new ScriptedBroker()
  broker.handlers.set("Produce", (body) => broker.append(body, ErrorCode.NOT_ENOUGH_REPLICAS))
  const producer = (await broker.client()).producer({ deliveryTimeoutMs: 3000 })
  const sent = producer.send({ topic: "t", partition: 0, value: "v" })
  await expect(sent).rejects.toThrow(/not delivered within 3000 ms/)
  await expect(producer.flush()).rejects.toBeInstanceOf(TimeoutError)
  await producer.flush()
  expect(broker.clock.monotonic()).toBeGreaterThanOrEqual(3000)
})

test("after a lost sequence the producer goes on under a new id", async () => {
  const broker = new ScriptedBroker()
  let id = 6
  broker.handlers.set("InitProducerId", () => ({ errorCode: 0, producerId: ++id, producerEpoch: 0 }))
  const producer = (await broker.client()).producer()
  broker.script("Produce", (body) => broker.append(body, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER))
  await expect(producer.send({ topic: "t", partition: 0, value: "v" })).rejects.toBeInstanceOf(KafkaError)
  await producer.send({ topic: "t", partition: 0, value: "v" })
  expect(id).toBe(8)
  expect(broker.appended.map(({ sequence }) => sequence)).toEqual([0])
})

test("append asks to wait above bufferMemory, waitForSpace does", async () => {
  const broker = new ScriptedBroker()
  const producer = (await broker.client()).producer({ bufferMemory: 1000, lingerMs: 0 })
  expect(producer.append("t", 0, 0, null, Buffer.alloc(100))).toBe(true)
  expect(producer.append("t", 0, 0, null, Buffer.alloc(1000))).toBe(false)
  await producer.waitForSpace()
  expect(producer.bufferedBytes).toBeLessThan(1000)
})

test("append throws above bufferMemoryMax, four times bufferMemory unless it is set", async () => {
  const client = await new ScriptedBroker().client()
  const held = (bufferMemoryMax?: number) => {
    const producer = client.producer({ bufferMemory: 1000, ...(bufferMemoryMax && { bufferMemoryMax }) })
    for (let count = 0; count < 100; count++) {
      try {
        producer.append("t", count % 2 === 0 ? 0 : -1, 0, null, Buffer.alloc(100))
      } catch (error) {
        expect(error).toMatchObject({ name: "BufferExhausted", message: expect.stringContaining("bufferMemoryMax is") })
        return count
      }
    }
    return 100
  }
  expect(held()).toBeLessThan(60)
  expect(held(1e6)).toBe(100)
})

test("records that wait for their topic's partitions count too", async () => {
  const broker = new ScriptedBroker()
  const producer = (await broker.client()).producer({ bufferMemory: 1000, lingerMs: 0 })
  expect(producer.append("t", -1, 0, null, Buffer.alloc(500))).toBe(true)
  expect(producer.append("t", -1, 0, null, Buffer.alloc(500))).toBe(false)
  await producer.waitForSpace()
  expect(producer.bufferedBytes).toBeLessThan(1000)
  await producer.flush()
  expect(broker.appended.reduce((sum, { count }) => sum + count, 0)).toBe(2)
})

test("without idempotence batches carry no sequence and no id is asked for", async () => {
  const broker = new ScriptedBroker()
  const producer = (await broker.client()).producer({ acks: 1 })
  await producer.send({ topic: "t", partition: 0, value: "v" })
  expect(broker.named("InitProducerId")).toEqual([])
  expect(broker.appended.map(({ sequence }) => sequence)).toEqual([-1])
  expect(broker.named("Produce")[0]!.body.acks).toBe(1)
})

test.each([
  [{ maxInFlight: 6 }, /maxInFlight/],
  [{ acks: 1, idempotent: true }, /idempotent/],
  [{ acks: 1, transactionalId: "t" }, /transactionalId/],
] as const)("options that contradict each other: %o", async (options, message) => {
  const client = await new ScriptedBroker().client()
  expect(() => client.producer(options)).toThrow(message)
})
