import type { Address } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import type { Part } from "../serve.ts"

/** The connect worker as a part of a process, with the connectors that come with the command. */
export async function startConnectWorker(options: {
  readonly brokers: string
  readonly listen: Address
  readonly config: Readonly<Record<string, string>>
  readonly registryUrl?: string
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
      if (level !== "debug") console.error(`connect ${level}: ${message}`)
    },
  })
  return { label: "connect", at: connect.url, close: () => connect.close() }
}
