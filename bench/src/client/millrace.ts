/**
 * Suite "client" by Millrace's own.
 */
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import type { ClientPeer } from "./peer.ts"

export const peer: ClientPeer = {
  async read({ brokers, topic, group }, seen) {
    const client = new KafkaClient({ host: nodeHost, brokers })
    const consumer = client.consumer({ groupId: group, autoOffsetReset: "earliest", autoCommit: true })
    consumer.subscribe([topic])
    for (let wantsMore = true; wantsMore;) {
      for (const fetched of await consumer.poll(1_000)) {
        const cursor = fetched.cursor()
        while (wantsMore && cursor.next()) {
          cursor.record.key()
          wantsMore = seen(cursor.record.value()!.length)
        }
      }
    }
    await client.close()
  },

  async writer({ brokers, topic }) {
    const client = new KafkaClient({ host: nodeHost, brokers })
    const producer = client.producer()
    return {
      async write(count, messageAt) {
        for (let n = 0; n < count; n++) {
          const { key, value } = messageAt(n)
          if (!producer.append(topic, -1, Date.now(), Buffer.from(key), value)) await producer.waitForSpace()
        }
        await producer.flush()
      },
      close: () => client.close(),
    }
  },
}
