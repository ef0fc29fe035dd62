/**
 * Suite "client" by kafkajs.
 */
import { type ClientPeer, readBatches, writeLists } from "./peer.ts"

const { Kafka, logLevel, Partitioners } = (await import(process.env["CLIENT_MODULE"]!)).default
const kafkaOf = (brokers: string) => new Kafka({ brokers: [brokers], logLevel: logLevel.ERROR })

export const peer: ClientPeer = {
  async read({ brokers, topic, group }, seen) {
    const consumer = kafkaOf(brokers).consumer({ groupId: group })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await readBatches(consumer, seen)
    await consumer.disconnect()
  },

  async writer({ brokers, topic }) {
    const producer = kafkaOf(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    return {
      write: (count, messageAt) => writeLists(count, messageAt, (messages) => producer.send({ topic, messages })),
      close: () => producer.disconnect(),
    }
  },
}
