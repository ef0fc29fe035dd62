import { Broker } from "@millrace/broker"
import { type Address, formatAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import type { Part } from "../serve.ts"

export interface BrokerPart extends Part {
  readonly address: Address
}

/** The broker as a part of a process. What it has to say goes to stderr. */
export async function startBroker(options: {
  readonly dataDir: string
  readonly listen: Address
  readonly config: Readonly<Record<string, string>>
}): Promise<BrokerPart> {
  const broker = await Broker.start({ host: nodeHost, ...options, log: (message) => console.error(message) })
  return { label: "kafka", at: formatAddress(broker.address), address: broker.address, close: () => broker.close() }
}
