import * as path from "node:path"
import { Broker, brokerConfig, commonSettings, findRequestTracing, type ServerLog } from "@millrace/broker"
import { parse } from "@millrace/config"
import { type Address, formatAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import type { Part } from "../serve.ts"
import { type Given, readSettings } from "./config-file.ts"

export interface BrokerPart extends Part {
  readonly address: Address
  readonly broker: Broker
}

/**
 * Of a broker that starts with those who use it: a new group has no members to wait for. Kafka's own server.properties says so
 * too, for the same reason.
 */
export const DEVELOPMENT_SETTINGS: Readonly<Record<string, string>> = {
  "group.initial.rebalance.delay.ms": "0",
  "group.streams.initial.rebalance.delay.ms": "0",
}

export const brokerSettings = (given: Given): Record<string, string> =>
  readSettings(given, (config) => parse(brokerConfig, commonSettings(config)))

/** Whether a broker was ever started on this directory. */
export const hasLog = (dataDir: string): boolean => nodeHost.disk.exists(path.join(dataDir, "meta.properties"))

/** The broker as a part of a process; its requests are traced where the program registered a tracer provider. */
export async function startBroker(options: {
  readonly dataDir: string
  readonly listen: Address
  readonly config: Readonly<Record<string, string>>
  readonly log: ServerLog
}): Promise<BrokerPart> {
  const broker = await Broker.start({ host: nodeHost, ...options, tracing: await findRequestTracing() })
  const { address } = broker
  return { label: "kafka", at: formatAddress(address), address, broker, close: () => broker.close() }
}
