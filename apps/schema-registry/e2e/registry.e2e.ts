import { Schema } from "effect"
import { afterAll, afterEach, expect, test } from "vitest"
import { KafkaClient, recordsOf } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { avro, RegistryClient, UnknownSchemaId } from "@millrace/schema"
import { type RunningRegistry, startRegistry } from "../src/index.ts"

const brokers = process.env["MILLRACE_TEST_BROKERS"] ?? ""
if (brokers === "") throw new Error("MILLRACE_TEST_BROKERS names no brokers: run this through `npm run test:kafka`")

const client = new KafkaClient({ host: nodeHost, brokers, clientId: "registry-e2e" })
const admin = client.admin()
afterAll(() => client.close())

const started: RunningRegistry[] = []
afterEach(async () => {
  for (const registry of started.splice(0)) await registry.close()
})

let count = 0
const fresh = (what: string): string => `${what}-${Math.random().toString(36).slice(2, 8)}-${count++}`

async function start(topic: string): Promise<RunningRegistry & { schemas: RegistryClient }> {
  const config = { "kafkastore.topic": topic }
  const registry = await startRegistry({ host: nodeHost, brokers, listen: { host: "127.0.0.1", port: 0 }, config })
  started.push(registry)
  return { ...registry, schemas: new RegistryClient({ url: registry.url }) }
}

const stop = async (registry: RunningRegistry): Promise<void> => {
  started.splice(
    started.findIndex((one) => one.url === registry.url),
    1,
  )
  await registry.close()
}

/** Every record of a partition up to its end. */
async function readAll(topic: string): Promise<{ key: string; value: string | null }[]> {
  const consumer = client.consumer({ autoOffsetReset: "earliest" })
  const partition = { topic, partition: 0 }
  consumer.assign([partition])
  const [end] = await consumer.endOffsets([partition])
  const records: { key: string; value: string | null }[] = []
  while ((consumer.position(partition) ?? 0) < end!.offset) {
    for (const fetched of await consumer.poll(200)) {
      for (const { key, value } of recordsOf(fetched)) {
        records.push({ key: String(Buffer.from(key!)), value: value && String(Buffer.from(value)) })
      }
    }
  }
  await consumer.close()
  return records
}

const text = (schema: object) => ({ schemaType: "AVRO", schema: JSON.stringify(schema) }) as const
const V1 = text({ type: "record", name: "R", fields: [{ name: "x", type: "int" }] })
const V2 = text({ type: "record", name: "R", fields: [{ name: "x", type: "long" }] })

test("schemas are in a compacted topic of one partition, under Confluent's keys, and survive a restart", async () => {
  const topic = fresh("_schemas")
  const first = await start(topic)
  expect(await first.schemas.register("a-value", V1)).toBe(1)
  expect(await first.schemas.register("a-value", V2)).toBe(2)
  await first.schemas.setCompatibilityLevel("FULL", "a-value")
  await first.schemas.deleteSubject("a-value")
  expect(await first.schemas.register("b-value", V1)).toBe(1)
  const before = first.registry.state.snapshot()
  await stop(first)

  const [description] = await admin.describeTopics([topic])
  expect(description!.partitions).toHaveLength(1)
  const [configs] = await admin.describeConfigs([{ type: "topic", name: topic, keys: ["cleanup.policy"] }])
  expect(configs!.configs[0]!.value).toBe("compact")
  expect((await readAll(topic)).map(({ key }) => key)).toEqual([
    '{"keytype":"SCHEMA","subject":"a-value","version":1,"magic":1}',
    '{"keytype":"SCHEMA","subject":"a-value","version":2,"magic":1}',
    '{"keytype":"CONFIG","subject":"a-value","magic":0}',
    '{"keytype":"DELETE_SUBJECT","subject":"a-value","magic":0}',
    '{"keytype":"SCHEMA","subject":"b-value","version":1,"magic":1}',
  ])

  const second = await start(topic)
  expect(second.registry.state.snapshot()).toEqual(before)
  expect(await second.schemas.subjects()).toEqual(["b-value"])
  expect(await second.schemas.register("c-value", text({ type: "fixed", name: "F", size: 1 }))).toBe(3)
})

test("another registry on the same topic follows", async () => {
  const topic = fresh("_schemas")
  const [writer, follower] = [await start(topic), await start(topic)]
  await writer.schemas.register("a", V1)
  await expect.poll(() => follower.schemas.subjects()).toEqual(["a"])
  // Its own write sees the other's first, whatever it has read so far.
  await writer.schemas.register("b", V2)
  expect(await follower.schemas.register("c", text({ type: "fixed", name: "F", size: 1 }))).toBe(3)
})

test("many writes at once each get their own id", async () => {
  const { schemas } = await start(fresh("_schemas"))
  const ids = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      schemas.register(`s${index}`, text({ type: "fixed", name: "F", size: index })),
    ),
  )
  expect(new Set(ids).size).toBe(50)
})

test("a topic that would lose schemas is refused", async () => {
  const deleting = fresh("deleting")
  const wide = fresh("wide")
  await admin.createTopics([
    { name: deleting, partitions: 1, replicationFactor: 1, configs: { "cleanup.policy": "delete" } },
    { name: wide, partitions: 2, replicationFactor: 1, configs: { "cleanup.policy": "compact" } },
  ])
  await expect(start(deleting)).rejects.toThrow(`the topic ${deleting} has cleanup.policy=delete`)
  await expect(start(wide)).rejects.toThrow(`the topic ${wide} has 2 partitions`)
})

test("records of others that cannot be read are passed over", async () => {
  const topic = fresh("_schemas")
  await stop(await start(topic))
  const producer = client.producer()
  await producer.send({ topic, partition: 0, key: "nonsense", value: "x" })
  await producer.send({ topic, partition: 0, key: '{"keytype":"ASSOC","magic":0}', value: "{}" })
  const key = '{"subject":"k","version":1,"magic":1,"keytype":"SCHEMA"}'
  const value = JSON.stringify({ subject: "k", version: 1, id: 9, schema: '"int"', deleted: false, md5: "?" })
  await producer.send({ topic, partition: 0, key, value })
  await producer.close()
  const warnings: string[] = []
  const registry = await startRegistry({
    host: nodeHost,
    brokers,
    listen: { host: "127.0.0.1", port: 0 },
    config: { "kafkastore.topic": topic },
    warn: (message) => warnings.push(message),
  })
  started.push(registry)
  expect(await new RegistryClient({ url: registry.url }).schemaById(9)).toEqual({ schemaType: "AVRO", schema: '"int"' })
  expect(warnings).toEqual([expect.stringContaining(`${topic} offset 0 is not a record of a registry`)])
})

test("a port in use is one clear error", async () => {
  const topic = fresh("_schemas")
  const { address } = await start(topic)
  const again = startRegistry({ host: nodeHost, brokers, listen: address, config: { "kafkastore.topic": topic } })
  await expect(again).rejects.toThrow(`cannot listen on 127.0.0.1:${address.port}: the port is in use`)
})

test("a producer of one version and a consumer of another meet through the registry", async () => {
  class OrderV1 extends Schema.Class<OrderV1>("Order")({ id: Schema.String, amount: Schema.Int }) {}
  class OrderV2 extends Schema.Class<OrderV2>("Order")({
    id: Schema.String,
    amount: Schema.Number,
    note: Schema.optional(Schema.String),
  }) {}
  const topic = fresh("orders")
  await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }])
  const { url } = await start(fresh("_schemas"))
  const writer = await avro(OrderV1).bind({ registry: new RegistryClient({ url }), topic, isKey: false })
  const producer = client.producer()
  for (let index = 0; index < 3; index++) {
    await producer.send({ topic, partition: 0, value: writer.encode(new OrderV1({ id: `o${index}`, amount: index })) })
  }
  await producer.close()

  const reader = await avro(OrderV2).bind({ registry: new RegistryClient({ url }), topic, isKey: false })
  const consumer = client.consumer({ autoOffsetReset: "earliest" })
  consumer.assign([{ topic, partition: 0 }])
  const read: OrderV2[] = []
  while (read.length < 3) {
    for (const fetched of await consumer.poll(500)) {
      const decode = () => [...recordsOf(fetched)].map(({ value }) => reader.decode(value!))
      let orders: OrderV2[]
      try {
        orders = decode()
      } catch (error) {
        if (!(error instanceof UnknownSchemaId)) throw error
        await error.resolve()
        orders = decode()
      }
      read.push(...orders)
    }
  }
  await consumer.close()
  expect(read).toStrictEqual([0, 1, 2].map((index) => new OrderV2({ id: `o${index}`, amount: index })))
})
