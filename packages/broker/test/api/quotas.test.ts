/** Client quotas over the wire, on a clock that passes when told: KIP-13, KIP-124, KIP-219, KIP-546, KIP-599. */
import { nodeHost } from "@millrace/host/node"
import { encodeRequest, ErrorCode } from "@millrace/protocol"
import { AlterClientQuotas } from "@millrace/protocol/messages/alter-client-quotas"
import { CreatePartitions } from "@millrace/protocol/messages/create-partitions"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { DescribeClientQuotas } from "@millrace/protocol/messages/describe-client-quotas"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { Produce } from "@millrace/protocol/messages/produce"
import { expect, test } from "vitest"
import { pass, startClock } from "../coordinator/passing-time.ts"
import { batch, type Client, start, temporaryDirectory } from "../harness.ts"
import { fetchAnswer } from "../read.ts"

type Entity = Record<string, string | null>
const parts = (entity: Entity) => Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))

async function alter(client: Client, entity: Entity, values: Record<string, number | null>, validateOnly = false) {
  const ops = Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null }))
  const { entries } = await client.send(AlterClientQuotas, 1, {
    entries: [{ entity: parts(entity), ops }],
    validateOnly,
  })
  return entries[0]!.errorCode
}

async function described(client: Client) {
  const { entries } = await client.send(DescribeClientQuotas, 1, { components: [], strict: false })
  return entries!.map(({ entity, values }) => [
    Object.fromEntries(entity.map(({ entityType, entityName }) => [entityType, entityName])),
    Object.fromEntries(values.map(({ key, value }) => [key, value])),
  ])
}

async function withClock() {
  const clock = startClock()
  const started = await start({}, { host: { ...nodeHost, clock } })
  return { ...started, clock }
}

const produceRequest = (records: Uint8Array, acks = 1) => ({
  acks,
  timeoutMs: 5_000,
  transactionalId: null,
  topicData: [{ name: "t", partitionData: [{ index: 0, records }] }],
})

const KILOBYTES_100 = batch(["x".repeat(100_000)])

test("quotas are set, changed and removed, and are there after a restart", async () => {
  const dataDir = temporaryDirectory()
  const first = await start({}, { dataDir })
  const client = await first.client()
  expect(
    await alter(client, { user: "alice", "client-id": null }, { producer_byte_rate: 1_000, request_percentage: 12.5 }),
  ).toBe(0)
  expect(await alter(client, { ip: "10.0.0.1" }, { connection_creation_rate: 5 })).toBe(0)
  expect(
    await alter(client, { user: "alice", "client-id": null }, { producer_byte_rate: null, consumer_byte_rate: 7 }),
  ).toBe(0)
  expect(await alter(client, { user: "bob" }, { consumer_byte_rate: 9 }, true)).toBe(0)
  const expected = [
    [
      { user: "alice", "client-id": null },
      { request_percentage: 12.5, consumer_byte_rate: 7 },
    ],
    [{ ip: "10.0.0.1" }, { connection_creation_rate: 5 }],
  ]
  expect(await described(client)).toEqual(expected)
  await first.broker.close()
  const second = await start({ "metadata.log.max.record.bytes.between.snapshots": "1" }, { dataDir })
  expect(await described(await second.client())).toEqual(expected)
  // What was put into a snapshot is read from it.
  expect(await alter(await second.client(), { user: null }, { consumer_byte_rate: 1 })).toBe(0)
  await second.broker.close()
  const third = await start({}, { dataDir })
  expect(await described(await third.client())).toEqual([...expected, [{ user: null }, { consumer_byte_rate: 1 }]])
})

test("a producer above its rate is told so, and left alone for that long (KIP-219)", async () => {
  const { client: connect, clock } = await withClock()
  const client = await connect("app")
  await client.createTopic("t")
  await alter(client, { "client-id": "app" }, { producer_byte_rate: 10_000 })
  const first = await client.send(Produce, 11, produceRequest(KILOBYTES_100))
  expect(first.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  // 100 KB are a little more than the 10 s of its windows allow: a moment above the bound.
  const second = client.send(Produce, 11, produceRequest(KILOBYTES_100))
  let isAnswered = false
  void second.then(() => (isAnswered = true))
  await pass(clock, first.throttleTimeMs - 1)
  expect(first.throttleTimeMs).toBeGreaterThan(0)
  expect(isAnswered).toBe(false)
  await pass(clock, 1)
  const { throttleTimeMs } = await second
  expect(throttleTimeMs).toBeGreaterThan(9_000)
  expect(throttleTimeMs).toBeLessThan(11_000)
  // Another client has its own.
  const other = await (await connect("other")).send(Produce, 11, produceRequest(KILOBYTES_100))
  expect(other.throttleTimeMs).toBe(0)
})

test("without an answer to tell it, a producer is left alone all the same", async () => {
  const { client: connect, clock } = await withClock()
  const client = await connect("app")
  await client.createTopic("t")
  await alter(client, { "client-id": "app" }, { producer_byte_rate: 5_000 })
  // Two requests at once: the second one waits for the first one's time to pass.
  client.write(encodeRequest(Produce, 11, { correlationId: 0, clientId: "app" }, produceRequest(KILOBYTES_100, 0)))
  const asked = (await connect("other")).send(Metadata, 12, { topics: [], allowAutoTopicCreation: false })
  await asked
  const late = client.send(Metadata, 12, { topics: [], allowAutoTopicCreation: false })
  let isAnswered = false
  void late.then(() => (isAnswered = true))
  await pass(clock, 9_000)
  expect(isAnswered).toBe(false)
  await pass(clock, 3_000)
  await late
})

test("a consumer above its rate gets nothing until its time has passed, and then what it asked for", async () => {
  const { client: connect, clock } = await withClock()
  const client = await connect("app")
  await client.createTopic("t")
  for (let batches = 0; batches < 3; batches++) await client.produce("t", KILOBYTES_100)
  await alter(client, { user: "ANONYMOUS" }, { consumer_byte_rate: 15_000 })
  const fetch = (offset: number) => fetchAnswer(client, "t", { offset, partitionMaxBytes: 1 })
  const first = await fetch(0)
  expect(first.responses[0]!.partitions[0]!.records!.length).toBeGreaterThan(100_000)
  expect(first.throttleTimeMs).toBe(0)
  const held = await fetch(1)
  expect(held.responses).toEqual([])
  expect(held.throttleTimeMs).toBeGreaterThan(0)
  let answer = held
  let waitedMs = 0
  while (answer.responses.length === 0) {
    const again = fetch(1)
    await pass(clock, answer.throttleTimeMs)
    waitedMs += answer.throttleTimeMs
    answer = await again
  }
  expect(answer.responses[0]!.partitions[0]!.records!.length).toBeGreaterThan(100_000)
  // 200 KB at 15 KB per second take 13.3 s, of which the ten windows before the first are taken as given.
  expect(waitedMs).toBeGreaterThan(3_000)
  expect(waitedMs).toBeLessThan(13_000)
})

test("a batch larger than all that a consumer may have is sent, and the consumer left alone for what it was too much", async () => {
  const { client: connect } = await withClock()
  const client = await connect("app")
  await client.createTopic("t")
  await client.produce("t", KILOBYTES_100)
  await alter(client, { user: "ANONYMOUS" }, { consumer_byte_rate: 1_000 })
  const { responses, throttleTimeMs } = await fetchAnswer(client, "t")
  expect(responses[0]!.partitions[0]!.records!.length).toBeGreaterThan(100_000)
  expect(throttleTimeMs).toBeGreaterThan(80_000)
})

const topic = (name: string, numPartitions: number) => ({
  name,
  numPartitions,
  replicationFactor: -1,
  assignments: [],
  configs: [],
})

test("102: over its mutation rate a client changes no partitions; old versions change them and are held back", async () => {
  const { client: connect, clock } = await withClock()
  const client = await connect("app")
  await client.send(CreateTopics, 7, { topics: [topic("gone", 1)], timeoutMs: 1_000, validateOnly: false })
  await alter(client, { "client-id": "app" }, { controller_mutation_rate: 1 })
  const create = (name: string, partitions: number, version: number) =>
    client.send(CreateTopics, version, { topics: [topic(name, partitions)], timeoutMs: 1_000, validateOnly: false })
  // Eleven are in the bucket, and while there is one any number is let through.
  const first = await create("a", 14, 7)
  expect(first.topics[0]!.errorCode).toBe(0)
  expect(first.throttleTimeMs).toBe(0)
  const refused = await create("b", 1, 7)
  expect(refused.topics[0]!.errorCode).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED)
  expect(refused.throttleTimeMs).toBe(3_000)
  await pass(clock, 1_000)
  // The connection is left alone; another one of the same client is not, and is refused in the same way.
  const another = await connect("app")
  const deleted = await another.send(DeleteTopics, 6, { topics: [{ name: "gone" }], timeoutMs: 1_000 })
  expect(deleted.responses[0]!.errorCode).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED)
  const third = await connect("app")
  const grown = await third.send(CreatePartitions, 3, {
    topics: [{ name: "a", count: 15, assignments: null }],
    timeoutMs: 1_000,
    validateOnly: false,
  })
  expect(grown.results[0]!.errorCode).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED)
  const fourth = await connect("app")
  const old = await fourth.send(CreateTopics, 5, { topics: [topic("c", 2)], timeoutMs: 1_000, validateOnly: false })
  expect(old.topics[0]!.errorCode).toBe(0)
  expect(old.throttleTimeMs).toBe(4_000)
  await pass(clock, 4_001)
  expect((await create("b", 1, 7)).topics[0]!.errorCode).toBe(0)
})

test("connections are closed above max.connections.per.ip, which can be changed while the broker runs", async () => {
  const { client: connect, messages } = await start({ "max.connections.per.ip": "2" })
  await connect()
  const second = await connect()
  const third = await connect()
  await third.whenClosed()
  expect(messages.some((line) => line.includes("max.connections.per.ip"))).toBe(true)
  second.destroy()
  await second.whenClosed()
  const fourth = await connect()
  expect((await fourth.send(Metadata, 12, { topics: [], allowAutoTopicCreation: false })).clusterId).toBeTruthy()
})

test("overrides that cannot be read stop the start with their name", async () => {
  await expect(start({ "max.connections.per.ip.overrides": "10.0.0.1" })).rejects.toThrow(
    /max\.connections\.per\.ip\.overrides/,
  )
})
