import * as path from "node:path"
import {
  Broker,
  brokerConfig,
  commonSettings,
  findRequestTracing,
  resolveListeners,
  type ServerLog,
} from "@millrace/broker"
import { parse } from "@millrace/config"
import { type Address, formatAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { UsageError } from "../command.ts"
import { addressOption, type Part } from "../serve.ts"
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

const DEFAULT_LISTEN = "127.0.0.1:9092"

/** What the option says and `listeners` would say too. */
export const listenOption = {
  value: "HOST:PORT",
  help: `address to listen on; port 0 picks a free one; without it and a setting \`listeners\`, ${DEFAULT_LISTEN}`,
} as const

export function listenAddress(option: string, given: string | undefined, config: Settings): Address {
  const listeners = config["listeners"]
  if (given !== undefined && listeners !== undefined)
    throw new UsageError(`--${option} ${given}: the settings say it too, listeners=${listeners}; choose one`)
  return addressOption(option, given ?? DEFAULT_LISTEN)
}

/** Refuses settings under which nobody gets in who names no user and speaks no TLS, as a process's other parts do. */
export function checkOpen(config: Settings, listen: Address): void {
  const values = parse(brokerConfig, commonSettings(config))
  const [first] = resolveListeners(values, listen)
  const isOpen =
    values["authorizer.class.name"] === "" ||
    values["allow.everyone.if.no.acl.found"] ||
    values["super.users"].includes("User:ANONYMOUS")
  const reason =
    first!.protocol !== "PLAINTEXT"
      ? `speak PLAINTEXT, and the first listener ${first!.protocol}`
      : isOpen
        ? undefined
        : "log in as nobody, whom authorizer.class.name keeps out"
  if (reason === undefined) return
  const remedy = "run `millrace broker`, `registry` and `connect` apart, the latter with --command-config"
  throw new UsageError(`up: the registry and the worker ${reason}: ${remedy}`)
}

type Settings = Readonly<Record<string, string>>

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
