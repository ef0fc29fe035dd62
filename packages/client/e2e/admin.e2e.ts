import { afterAll, expect, test } from "vitest"
import { bytes, fresh, newClient, newTopic, pollUntil } from "./cluster.ts"

const client = newClient()
const admin = client.admin()
afterAll(() => client.close())

test("topics: create, describe, list, grow, delete", async () => {
  const topic = fresh("topic")
  const configs = { "cleanup.policy": "compact" }
  await admin.createTopics([{ name: topic, partitions: 2, replicationFactor: 1, configs }])
  expect(await admin.listTopics()).toContain(topic)
  const [before, absent] = await admin.describeTopics([topic, fresh("absent")])
  expect(before!.partitions.map(({ partition }) => partition)).toEqual([0, 1])
  expect(before!.topicId).toMatch(/^[\w-]{22}$/)
  expect(absent).toBeUndefined()
  await admin.createPartitions([{ name: topic, count: 5 }])
  await expect.poll(async () => (await admin.describeTopics([topic]))[0]!.partitions.length).toBe(5)
  await admin.deleteTopics([topic])
  await expect.poll(async () => (await admin.describeTopics([topic])).length).toBe(0)
  await admin.deleteTopics([topic], { ifExists: true })
})

test("a topic made without counts takes the broker's; validateOnly makes none", async () => {
  const topic = fresh("topic")
  await admin.createTopics([{ name: topic }], { validateOnly: true })
  expect(await admin.listTopics()).not.toContain(topic)
  await admin.createTopics([{ name: topic }])
  expect((await admin.describeTopics([topic]))[0]!.partitions.length).toBeGreaterThan(0)
})

test("configs: describe and change", async () => {
  const topic = await newTopic(client)
  const resource = { type: "topic", name: topic } as const
  const retention = async () => {
    const [result] = await admin.describeConfigs([{ ...resource, keys: ["retention.ms"] }])
    return result!.configs.map(({ name, value, source }) => ({ name, value, source }))
  }
  expect(await retention()).toEqual([{ name: "retention.ms", value: "604800000", source: "default" }])
  await admin.incrementalAlterConfigs([
    { ...resource, changes: [{ name: "retention.ms", operation: "set", value: "1000" }] },
  ])
  await expect.poll(retention).toEqual([{ name: "retention.ms", value: "1000", source: "topic" }])
  await admin.incrementalAlterConfigs([{ ...resource, changes: [{ name: "retention.ms", operation: "delete" }] }])
  await expect.poll(retention).toEqual([{ name: "retention.ms", value: "604800000", source: "default" }])
  const bad = admin.incrementalAlterConfigs([
    { ...resource, changes: [{ name: "retention.ms", operation: "set", value: "soon" }] },
  ])
  await expect(bad).rejects.toThrow(/INVALID_CONFIG/)
})

test("the cluster and a broker's configs", async () => {
  const { nodes, clusterId } = await admin.describeCluster()
  expect(nodes.length).toBeGreaterThan(0)
  expect(clusterId).toBeTruthy()
  const [broker] = await admin.describeConfigs([{ type: "broker", name: String(nodes[0]!.id) }])
  expect(broker!.configs.some(({ name }) => name === "num.partitions")).toBe(true)
})

test("records are deleted from the start", async () => {
  const topic = await newTopic(client)
  const producer = client.producer()
  for (let index = 0; index < 10; index++) producer.append(topic, 0, index, null, bytes("v"))
  await producer.flush()
  await producer.close()
  expect(await admin.deleteRecords([{ topic, partition: 0, offset: 6 }])).toEqual([
    { topic, partition: 0, lowWatermark: 6 },
  ])
  const [start, end] = await admin.listOffsets([
    { topic, partition: 0, timestamp: -2 },
    { topic, partition: 0, timestamp: -1 },
  ])
  expect([start!.offset, end!.offset]).toEqual([6, 10])
})

test("groups: list, describe, set offsets, delete", async () => {
  const topic = await newTopic(client, 2)
  const groupId = fresh("group")
  await admin.alterGroupOffsets(groupId, [{ topic, partition: 1, offset: 42, metadata: "set" }])
  expect(await admin.listGroupOffsets(groupId)).toMatchObject([{ topic, partition: 1, offset: 42, metadata: "set" }])
  const consumer = client.consumer({ groupId, autoOffsetReset: "earliest" })
  consumer.subscribe([topic])
  await pollUntil(consumer, () => consumer.assignment().length === 2)
  expect(await admin.listGroups()).toContainEqual(expect.objectContaining({ groupId, protocolType: "consumer" }))
  const [stable] = await admin.describeGroups([groupId])
  expect(stable).toMatchObject({ state: "Stable", protocol: "range" })
  expect(stable!.members[0]!.partitions).toEqual([
    { topic, partition: 0 },
    { topic, partition: 1 },
  ])
  await expect(admin.deleteGroups([groupId])).rejects.toThrow(/NON_EMPTY_GROUP/)
  await consumer.close()
  await admin.deleteGroups([groupId])
  expect(await admin.describeGroups([groupId])).toMatchObject([{ state: "Dead" }])
})

test("a transactional id can be fenced from outside", async () => {
  const topic = await newTopic(client)
  const transactionalId = fresh("txn")
  const producer = client.producer({ transactionalId })
  await producer.initTransactions()
  producer.beginTransaction()
  producer.append(topic, 0, 0, null, bytes("v"))
  await producer.flush()
  await admin.fenceProducer(transactionalId)
  await expect(producer.commitTransaction()).rejects.toMatchObject({ name: "ProducerFenced" })
  await producer.close()
})
