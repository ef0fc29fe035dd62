/**
 * Where the parts of a server process tell what happens: stderr, a line each. For people as text; for a log shipper as JSON
 * with a time, a level, the part and what the event is about.
 */
import type { ServerLog } from "@millrace/broker"
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

function json(part: string): ServerLog {
  return (message, event) => console.error(JSON.stringify({ time: new Date().toISOString(), part, ...event, message }))
}
