import type { ServerLog } from "@millrace/broker"
import type { ClientSecurity } from "@millrace/client"
import { type ConfigTable, nearestKey, parse, unknownKey } from "@millrace/config"
import type { Address } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { firstLine } from "../fault.ts"
import type { Part } from "../serve.ts"
import { type Given, readSettings } from "./config-file.ts"

/** What stands before settings of a converter or of Kafka's clients, which the worker hands on or does without. */
const PREFIXES =
  /^(key\.converter|value\.converter|header\.converter|producer|consumer|admin|rest|listeners|config\.providers)\./

/**
 * The worker's settings. A file made for Kafka Connect has some that mean nothing here: those are passed by with a note,
 * while one that reads like a slip of one of ours is refused.
 */
export async function connectSettings(given: Given): Promise<Record<string, string>> {
  const { workerConfig } = await import("@millrace/connect")
  const table: ConfigTable = workerConfig
  return readSettings(given, (config) => {
    for (const key of Object.keys(config)) {
      if (Object.hasOwn(table, key) || PREFIXES.test(key)) continue
      if (nearestKey(Object.keys(table), key) !== undefined || given.file === undefined) throw unknownKey(table, key)
      console.error(`connect warn: ${key} has no effect here`)
    }
    parse(table, config, { unknown: "ignore" })
  })
}

/** The connect worker as a part of a process, with the connectors that come with the command. */
export async function startConnectWorker(options: {
  readonly brokers: string
  readonly security?: ClientSecurity
  readonly listen: Address
  readonly config: Readonly<Record<string, string>>
  readonly registryUrl?: string
  readonly log: ServerLog
}): Promise<Part> {
  const [{ startConnect }, { fileSource }, { sqliteSink }] = await Promise.all([
    import("@millrace/connect"),
    import("@millrace/connector-file"),
    import("@millrace/connector-sqlite"),
  ])
  const connect = await startConnect({
    host: nodeHost,
    ...options,
    connectors: [fileSource, sqliteSink],
    store: "kafka",
    log: (level, message) => {
      // Where it happened is in the connector's status; here a line is enough.
      if (level !== "debug") options.log(firstLine(message), { level, event: "connector" })
    },
  })
  return { label: "connect", at: connect.url, close: () => connect.close() }
}
