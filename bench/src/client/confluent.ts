/**
 * Suite "client" by @confluentinc/kafka-javascript, through its promises in the manner of kafkajs.
 */
import { type ClientPeer, readBatches, writeLists } from "./peer.ts"

const { KafkaJS } = (await import(process.env["CLIENT_MODULE"]!)).default
const kafkaOf = (brokers: string) =>
  new KafkaJS.Kafka({ kafkaJS: { brokers: [brokers], logLevel: KafkaJS.logLevel.ERROR } })

export const peer: ClientPeer = {
  async read({ brokers, topic, group }, seen) {
    const consumer = kafkaOf(brokers).consumer({ kafkaJS: { groupId: group, fromBeginning: true, autoCommit: true } })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    await readBatches(consumer, seen)
    await consumer.disconnect()
  },

  async writer({ brokers, topic }) {
    const producer = kafkaOf(brokers).producer({ kafkaJS: { acks: -1 } })
    await producer.connect()
    return {
      write: (count, messageAt) => writeLists(count, messageAt, (messages) => producer.send({ topic, messages })),
      close: () => producer.disconnect(),
    }
  },
}
