/**
 * Where the parts of a server process tell what happens: stderr, a line each. For people as text; for a log shipper as JSON
 * with a time, a level, the part and what the event is about.
 */
import type { ServerLog } from "@millrace/broker"
import { type Address, formatAddress, isLoopback } from "@millrace/host"
import { UsageError } from "../command.ts"

export interface ServerPrinter {
  readonly broker: ServerLog
  readonly connect: ServerLog
}

export const LOG_OPTION = { value: "text|json", help: "how events are told on stderr", default: "text" } as const

export function serverPrinter(format: string): ServerPrinter {
  if (format === "json") return { broker: json("broker"), connect: json("connect") }
  if (format !== "text") throw new UsageError(`--log ${format}: expected text or json`)
  return {
    broker: (message) => console.error(message),
    connect: (message, { level }) => console.error(`connect ${level}: ${message}`),
  }
}

/** What is served there is nobody's secret, and everybody's who reaches it. */
export function warnOfMetrics(log: ServerLog, at: Address): void {
  if (isLoopback(at.host)) return
  const address = formatAddress(at)
  log(`WARNING: --metrics ${address} tells whoever reaches it the names of topics and groups, unencrypted`, {
    ...{ level: "warn", event: "metrics-unguarded", address },
  })
}

function json(part: string): ServerLog {
  return (message, event) => console.error(JSON.stringify({ time: new Date().toISOString(), part, ...event, message }))
}
