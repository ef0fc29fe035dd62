import { Broker, brokerConfig, commonSettings } from "@millrace/broker"
import { parse } from "@millrace/config"
import { type Address, formatAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import type { Part } from "../serve.ts"
import { type Given, readSettings } from "./config-file.ts"

export interface BrokerPart extends Part {
  readonly address: Address
  readonly broker: Broker
}

export const brokerSettings = (given: Given): Record<string, string> =>
  readSettings(given, (config) => parse(brokerConfig, commonSettings(config)))

/** The broker as a part of a process. What it has to say goes to stderr. */
export async function startBroker(options: {
  readonly dataDir: string
  readonly listen: Address
  readonly config: Readonly<Record<string, string>>
}): Promise<BrokerPart> {
  const broker = await Broker.start({ host: nodeHost, ...options, log: (message) => console.error(message) })
  const { address } = broker
  return { label: "kafka", at: formatAddress(address), address, broker, close: () => broker.close() }
}
