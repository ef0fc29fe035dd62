/**
 * The client that everyday commands use: connects, runs one action, closes.
 */
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"

/** The option that every such command has. */
export const brokersOption = {
  value: "HOST:PORT[,…]",
  help: "brokers to connect to",
  default: "127.0.0.1:9092",
} as const

export const jsonOption = { help: "print JSON for machines" } as const

export async function withClient<T>(brokers: string, action: (client: KafkaClient) => Promise<T>): Promise<T> {
  const client = new KafkaClient({ host: nodeHost, brokers, clientId: "millrace-cli" })
  try {
    return await action(client)
  } finally {
    await client.close()
  }
}
