/**
 * @confluentinc/kafka-javascript: librdkafka under Node, through its promises in the manner of kafkajs.
 */
import { createRequire } from "node:module"
import { confluentKafka, installed } from "../npm-cache.ts"
import { type Check, Skip } from "./check.ts"
import { expect, type KeyAndValue, type NodeClient, nodeClientChecks, orSkip, until } from "./node-clients.ts"

export const confluentChecks = (brokers: string): Check[] =>
  nodeClientChecks("confluent", `@confluentinc/kafka-javascript ${confluentKafka.version}`, () => open(brokers))

async function open(brokers: string): Promise<NodeClient> {
  const load = createRequire(import.meta.url)
  const { KafkaJS } = await orSkip(async () => load(await installed(confluentKafka)))
  const { CompressionTypes, Kafka, logLevel } = KafkaJS
  const kafka = new Kafka({ kafkaJS: { brokers: [brokers], logLevel: logLevel.NOTHING } })
  const admin = kafka.admin()
  await admin.connect()
  const consumerOf = (groupId: string, settings: object = {}) =>
    kafka.consumer({ kafkaJS: { groupId, fromBeginning: true, sessionTimeout: 10_000, ...settings } })

  async function produce(topic: string, codec: string, records: readonly KeyAndValue[]): Promise<void> {
    const compression = codec === "none" ? CompressionTypes.None : CompressionTypes[codec.toUpperCase()]
    const producer = kafka.producer({ kafkaJS: { acks: -1, idempotent: true, compression } })
    try {
      await producer.connect()
    } catch (error) {
      // Where it is compiled, it has the codecs whose headers were there.
      if (String(error).includes("not available at build time")) throw new Skip(String(error).split(": ").at(-1)!)
      throw error
    }
    await producer.send({ topic, messages: records.map(([key, value]) => ({ key, value })) })
    await producer.disconnect()
  }

  async function read(topic: string, group: string, count: number, isolation?: "read_committed") {
    const consumer = consumerOf(group, { readUncommitted: isolation === undefined })
    const records: KeyAndValue[] = []
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    await consumer.run({
      eachMessage: async ({ message }: any) => void records.push([String(message.key), String(message.value)]),
    })
    await until(
      () => records.length >= count,
      () => `${count} records, not ${records.length}`,
    )
    await consumer.disconnect()
    return records
  }

  async function committed(group: string, topic: string): Promise<number> {
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    return Number(found.partitions.find((one: { partition: number }) => one.partition === 0).offset)
  }

  return {
    createTopic: async (topic, numPartitions) =>
      void (await admin.createTopics({ topics: [{ topic, numPartitions }] })),
    produce,
    read,
    committed,

    member(topic, group) {
      const consumer = consumerOf(group)
      let joined = false
      return {
        async join() {
          await consumer.connect()
          await consumer.subscribe({ topics: [topic] })
          await consumer.run({ eachMessage: async () => {} })
          joined = true
        },
        owned: () => (joined ? consumer.assignment().map((one: { partition: number }) => one.partition) : []),
        leave: () => consumer.disconnect(),
      }
    },

    async copy(from, to, group, count) {
      const producer = kafka.producer({ kafkaJS: { transactionalId: group } })
      const consumer = consumerOf(group, { autoCommit: false })
      await producer.connect()
      await consumer.connect()
      await consumer.subscribe({ topics: [from] })
      let copied = 0
      await consumer.run({
        eachMessage: async ({ partition, message }: any) => {
          const transaction = await producer.transaction()
          await transaction.send({ topic: to, messages: [{ key: message.key, value: message.value }] })
          const partitions = [{ partition, offset: String(Number(message.offset) + 1) }]
          await transaction.sendOffsets({ consumer, topics: [{ topic: from, partitions }] })
          await (copied % 2 === 0 ? transaction.commit() : transaction.abort())
          copied++
        },
      })
      await until(
        () => copied === count,
        () => `${count} records to be copied, not ${copied}`,
      )
      await consumer.disconnect()
      await producer.disconnect()
    },

    async administer(topic) {
      const configEntries = [{ name: "retention.ms", value: "3600000" }]
      await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] })
      const [described] = await admin.fetchTopicMetadata({ topics: [topic] })
      expect(described.partitions.length === 2, "the number of partitions")
      await produce(
        topic,
        "none",
        Array.from({ length: 10 }, (_, at) => ["key", `${at}`] as const),
      )
      const offsets: { partition: number; high: string }[] = await admin.fetchTopicOffsets(topic)
      const { partition, high } = offsets.find((one) => one.high === "10")!
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: "4" }] })
      expect((await read(topic, topic, 6)).length === 6 && high === "10", "the records that are left")
      const { groups } = await admin.listGroups()
      expect(
        groups.some(({ groupId }: { groupId: string }) => groupId === topic),
        "the list of groups",
      )
      await admin.describeGroups([topic])
      await admin.deleteGroups([topic])
      await admin.deleteTopics({ topics: [topic] })
      await until(
        async () => !(await admin.listTopics()).includes(topic),
        () => "the topic to go",
      )
      return "topics, records, groups"
    },

    close: () => admin.disconnect(),
  }
}
