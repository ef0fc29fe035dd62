/**
 * Suite "client" by @platformatic/kafka.
 */
import { type ClientPeer, writeLists } from "./peer.ts"

const { Consumer, MessagesStreamModes, ProduceAcks, Producer } = await import(process.env["CLIENT_MODULE"]!)

export const peer: ClientPeer = {
  async read({ brokers, topic, group }, seen) {
    const consumer = new Consumer({ clientId: "bench", groupId: group, bootstrapBrokers: [brokers] })
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: true })
    await new Promise<void>((resolve, reject) => {
      stream.on("data", ({ value }: any) => void (seen(value.length) || resolve()))
      stream.on("error", reject)
    })
    await consumer.close(true)
  },

  async writer({ brokers, topic }) {
    const producer = new Producer({ clientId: "bench", bootstrapBrokers: [brokers] })
    return {
      write: (count, messageAt) =>
        writeLists(count, messageAt, (messages) =>
          producer.send({
            messages: messages.map(({ key, value }) => ({ topic, key: Buffer.from(key), value })),
            acks: ProduceAcks.ALL,
          }),
        ),
      close: () => producer.close(),
    }
  },
}
