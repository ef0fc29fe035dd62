/**
 * What a client tells its cluster of itself: when it is asked, and only then.
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import { decompress } from "@millrace/protocol/record/compression"
import { expect, test } from "vitest"
import type { KafkaClient } from "../../src/index.ts"
import { readMetrics } from "../support/otlp-reader.ts"
import { ScriptedBroker } from "../support/scripted-broker.ts"

const INSTANCE = "AAAAAAAAAAAAAAAAAAAAEA"
const GZIP = 1

const subscription = {
  errorCode: ErrorCode.NONE,
  clientInstanceId: INSTANCE,
  subscriptionId: 7,
  acceptedCompressionTypes: [GZIP],
  pushIntervalMs: 10_000,
  telemetryMaxBytes: 1 << 20,
  deltaTemporality: false,
  requestedMetrics: ["org.apache.kafka.producer.record.", "org.apache.kafka.producer.node."],
}

/** A broker that wants metrics, and is told of each push. */
function asking(more: Partial<typeof subscription> = {}) {
  const broker = new ScriptedBroker()
  const pushes = Promise.withResolvers<void>()
  broker.handlers.set("GetTelemetrySubscriptions", () => ({ ...subscription, ...more }))
  broker.handlers.set("PushTelemetry", () => {
    if (broker.named("PushTelemetry").length >= 3) pushes.resolve()
    return { errorCode: ErrorCode.NONE }
  })
  return { broker, thrice: pushes.promise }
}

async function produce(client: KafkaClient) {
  const producer = client.producer({ transactionalId: "t" })
  await producer.initTransactions()
  producer.beginTransaction()
  producer.append("topic", 0, 1, Buffer.from("k"), Buffer.from("v"))
  await producer.flush()
  await producer.commitTransaction()
  return producer
}

test("O8: it asks once, pushes what is wanted, compressed, under its instance id, and once more at its end", async () => {
  const { broker, thrice } = asking()
  const client = await broker.client({ clientRack: "r1" })
  const producer = await produce(client)
  await thrice
  const before = broker.named("PushTelemetry").length
  await producer.close()
  const asked = broker.named("GetTelemetrySubscriptions").map(({ body }) => body.clientInstanceId)
  expect(asked).toEqual([ZERO_UUID])
  const pushes = broker.named("PushTelemetry").map(({ body }) => body)
  expect(pushes.length).toBe(before + 1)
  for (const push of pushes)
    expect(push).toMatchObject({ clientInstanceId: INSTANCE, subscriptionId: 7, compressionType: GZIP })
  expect(pushes.map(({ terminating }) => terminating)).toEqual([...Array.from({ length: before }, () => false), true])
  const text = Buffer.from(decompress("gzip", pushes[0].metrics)).toString("latin1")
  expect(text).toContain("org.apache.kafka.producer.record.send.total")
  expect(text).toContain("org.apache.kafka.producer.node.request.latency.max")
  expect(text).toContain("node-1")
  expect(text).toContain("transactional_id")
  expect(text).not.toContain("connection.creation")
  await client.close()
  expect(broker.named("PushTelemetry")).toHaveLength(pushes.length)
})

test("O8: a push that is larger than may be is not sent", async () => {
  const { broker } = asking({ telemetryMaxBytes: 10 })
  const asked = Promise.withResolvers<void>()
  broker.handlers.set("GetTelemetrySubscriptions", () => {
    if (broker.named("GetTelemetrySubscriptions").length >= 3) asked.resolve()
    return { ...subscription, telemetryMaxBytes: 10 }
  })
  const client = await broker.client()
  await produce(client)
  await asked.promise
  await client.close()
  expect(broker.named("PushTelemetry")).toEqual([])
  expect(broker.named("GetTelemetrySubscriptions").at(-1)!.body.clientInstanceId).toBe(INSTANCE)
})

test("O8: what nobody wanted for a while is not told again from its beginning", async () => {
  const { broker } = asking()
  const sent = "org.apache.kafka.producer.record.send.total"
  const wanted = [[sent], ["org.apache.kafka.producer.connection."], [sent]]
  const done = Promise.withResolvers<void>()
  let hasProduced = false
  let subscriptionId = -1
  broker.handlers.set("GetTelemetrySubscriptions", () => {
    if (!hasProduced) return { ...subscription, requestedMetrics: [] }
    subscriptionId++
    return { ...subscription, subscriptionId, deltaTemporality: true, requestedMetrics: wanted[subscriptionId] ?? [] }
  })
  const told: ReturnType<typeof readMetrics>["metrics"][] = []
  broker.handlers.set("PushTelemetry", (body) => {
    // Each subscription lasts for one push.
    if (body.subscriptionId < told.length) return { errorCode: ErrorCode.UNKNOWN_SUBSCRIPTION_ID }
    told.push(readMetrics(decompress("gzip", body.metrics)).metrics)
    if (told.length === wanted.length) done.resolve()
    return { errorCode: ErrorCode.NONE }
  })
  const client = await broker.client()
  const producer = await produce(client)
  hasProduced = true
  await done.promise
  await producer.close()
  await client.close()
  expect(told.map((metrics) => metrics.map(({ name }) => name))).toEqual([
    [sent],
    ["org.apache.kafka.producer.connection.creation.total"],
    [sent],
  ])
  expect([told[0]![0]!.value, told[2]![0]!.value]).toEqual([1, 0])
})

test("O8: figures that are added to a consumer's are pushed with its own, as its group's", async () => {
  const { broker, thrice } = asking({ requestedMetrics: ["*"] })
  broker.handlers.set("ListOffsets", () => ({
    topics: [{ name: "topic", partitions: [{ partitionIndex: 0, errorCode: ErrorCode.NONE, offset: 5 }] }],
  }))
  const client = await broker.client({ clientRack: "r1" })
  const consumer = client.consumer({ groupId: "g" })
  const emitted = { name: "millrace.streams.emitted.total", value: 3, attributes: { thread_id: "0" } }
  consumer.reportMetrics(() => [{ ...emitted, type: "sum" }])
  await consumer.endOffsets([{ topic: "topic", partition: 0 }])
  await thrice
  await consumer.close()
  const { body } = broker.named("PushTelemetry")[0]!
  const { resource, metrics } = readMetrics(decompress("gzip", body.metrics))
  expect(resource).toEqual({ group_id: "g", client_rack: "r1" })
  expect(metrics).toContainEqual(expect.objectContaining(emitted))
  expect(metrics.map(({ name }) => name)).toContain("org.apache.kafka.consumer.coordinator.assigned.partitions")
  await client.close()
})

test.each([
  ["serves none of it", new ScriptedBroker(), {}],
  ["would, where it is switched off", asking().broker, { enableMetricsPush: false }],
])("O8: a cluster that %s is asked nothing", async (_, broker, options) => {
  const client = await broker.client(options)
  const producer = await produce(client)
  await producer.close()
  await client.close()
  expect(broker.log.filter(({ api }) => api.includes("Telemetry"))).toEqual([])
})

test("O8: a cluster that wants nothing is pushed nothing, at the end neither", async () => {
  const { broker } = asking({ requestedMetrics: [] })
  const client = await broker.client()
  const producer = await produce(client)
  while (broker.named("GetTelemetrySubscriptions").length < 2) await new Promise((resolve) => setImmediate(resolve))
  await producer.close()
  await client.close()
  expect(broker.named("PushTelemetry")).toEqual([])
})

test("O8: a cluster that answers nothing at the end holds no close up for good", async () => {
  const { broker, thrice } = asking()
  const client = await broker.client()
  const producer = await produce(client)
  await thrice
  broker.handlers.set("PushTelemetry", () => "silence")
  await producer.close()
  await client.close()
  expect(broker.named("PushTelemetry").at(-1)!.body.terminating).toBe(true)
})

/** Closes a producer while the first push is on its way; answers how many records each push tells of. */
async function closedDuringPush(answered: (end: Promise<void>) => unknown): Promise<number[]> {
  const { broker } = asking({ deltaTemporality: true })
  const arrived = Promise.withResolvers<void>()
  const closing = Promise.withResolvers<void>()
  broker.handlers.set("PushTelemetry", () => {
    if (broker.named("PushTelemetry").length > 1) return { errorCode: ErrorCode.NONE }
    arrived.resolve()
    return answered(closing.promise)
  })
  const client = await broker.client()
  const producer = await produce(client)
  await arrived.promise
  const closed = producer.close()
  closing.resolve()
  await closed
  await client.close()
  return broker.named("PushTelemetry").map(({ body }) => {
    const { metrics } = readMetrics(decompress("gzip", body.metrics))
    return metrics.find(({ name }) => name === "org.apache.kafka.producer.record.send.total")!.value
  })
}

test("O8: what a push on its way tells, the last one does not tell again", async () => {
  expect(await closedDuringPush((end) => end.then(() => ({ errorCode: ErrorCode.NONE })))).toEqual([1, 0])
})

test.each([
  ["is never answered", () => "silence"],
  ["loses its connection", (end: Promise<void>) => end.then(() => "cut")],
])("O8: no last push follows one that %s: it may have arrived", async (_, answered) => {
  expect(await closedDuringPush(answered)).toEqual([1])
})
