/**
 * @platformatic/kafka: a client for Node of its own making.
 */
import * as path from "node:path"
import { installed, platformaticKafka } from "../npm-cache.ts"
import type { Check } from "./check.ts"
import { expect, type KeyAndValue, type NodeClient, nodeClientChecks, orSkip, until } from "./node-clients.ts"

export const platformaticChecks = (brokers: string): Check[] =>
  nodeClientChecks("platformatic", `@platformatic/kafka ${platformaticKafka.version}`, () => open(brokers))

const TOPIC = 2
const SET = 0

async function open(brokers: string): Promise<NodeClient> {
  const kafka = await orSkip(async () => await import(path.join(await installed(platformaticKafka), "dist/index.js")))
  const { Admin, Consumer, FetchIsolationLevels, MessagesStreamModes, Producer } = kafka
  const strings = { serializers: kafka.stringSerializers, deserializers: kafka.stringDeserializers }
  const common = { clientId: "compat", bootstrapBrokers: [brokers], ...strings }
  const admin = new Admin(common)
  const consumerOf = (groupId: string, more: object = {}) =>
    new Consumer({ ...common, groupId, heartbeatInterval: 500, sessionTimeout: 10_000, maxWaitTime: 200, ...more })
  const start = (consumer: any, topic: string) =>
    consumer.consume({ topics: [topic], mode: MessagesStreamModes.COMMITTED, fallbackMode: "earliest" })

  /** Takes records as they come, until there are enough. */
  async function take(stream: any, count: number): Promise<any[]> {
    const messages: any[] = []
    for await (const message of stream) if (messages.push(message) === count) break
    return messages
  }

  async function produce(topic: string, compression: string, records: readonly KeyAndValue[]): Promise<void> {
    const producer = new Producer({ ...common, compression, idempotent: true })
    await producer.send({ messages: records.map(([key, value]) => ({ topic, key, value })) })
    await producer.close()
  }

  async function read(topic: string, group: string, count: number, isolation?: "read_committed") {
    const isolationLevel = FetchIsolationLevels[isolation === undefined ? "READ_UNCOMMITTED" : "READ_COMMITTED"]
    const consumer = consumerOf(group, { isolationLevel, autocommit: true })
    const messages = await take(await start(consumer, topic), count)
    await consumer.close(true)
    return messages.map(({ key, value }): KeyAndValue => [key, value])
  }

  async function committed(group: string, topic: string): Promise<number> {
    const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
    const { partitions } = found.topics.find((one: { name: string }) => one.name === topic)
    return Number(partitions.find((one: { partitionIndex: number }) => one.partitionIndex === 0).committedOffset)
  }

  return {
    createTopic: async (topic, partitions) => void (await admin.createTopics({ topics: [topic], partitions })),
    produce,
    read,
    committed,

    member(topic, group) {
      const consumer = consumerOf(group, { autocommit: true })
      return {
        async join() {
          const stream = await start(consumer, topic)
          stream.on("data", () => {})
        },
        owned: () => consumer.assignments?.find((one: { topic: string }) => one.topic === topic)?.partitions ?? [],
        leave: () => consumer.close(true),
      }
    },

    async copy(from, to, group, count) {
      const producer = new Producer({ ...common, idempotent: true, transactionalId: group })
      const consumer = consumerOf(group, { autocommit: false })
      for (const [at, message] of (await take(await start(consumer, from), count)).entries()) {
        const transaction = await producer.beginTransaction()
        await transaction.addConsumer(consumer)
        await transaction.send({ messages: [{ topic: to, key: message.key, value: message.value }] })
        await transaction.addOffset(message)
        await (at % 2 === 0 ? transaction.commit() : transaction.abort())
      }
      await consumer.close(true)
      await producer.close()
    },

    async administer(topic) {
      await admin.createTopics({
        topics: [topic],
        partitions: 2,
        configs: [{ name: "retention.ms", value: "3600000" }],
      })
      const resource = { resourceType: TOPIC, resourceName: topic }
      const retention = async () => {
        const [described] = await admin.describeConfigs({ resources: [resource] })
        return described.configs.find((one: { name: string }) => one.name === "retention.ms").value
      }
      expect((await retention()) === "3600000", "the setting it was created with")
      const configs = [{ name: "retention.ms", configOperation: SET, value: "7200000" }]
      await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs }] })
      expect((await retention()) === "7200000", "the setting that was altered")
      await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: [{ brokerIds: [1] }] }] })
      await produce(topic, "none", [["key", "value"]])
      await read(topic, topic, 1)
      expect((await admin.listGroups()).has(topic), "the list of groups")
      expect(
        (await admin.describeGroups({ groups: [topic] })).get(topic).state.toLowerCase() === "empty",
        "the state of the group",
      )
      await admin.deleteGroups({ groups: [topic] })
      await admin.deleteTopics({ topics: [topic] })
      await until(
        async () => !(await admin.listTopics()).includes(topic),
        () => "the topic to go",
      )
      return "topics, configs, partitions, groups"
    },

    close: () => admin.close(),
  }
}
