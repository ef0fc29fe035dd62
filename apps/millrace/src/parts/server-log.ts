/**
 * Where the parts of a server process tell what happens: stderr, a line each, with a time and a level. For people as text; for a
 * log shipper as JSON, with the part and what the event is about beside it, and the fault that ends the process among them.
 */
import type { ServerEvent, ServerLog } from "@millrace/broker"
import { type Address, formatAddress, isLoopback } from "@millrace/host"
import { UsageError } from "../command.ts"
import { tellFaultsBy } from "../fault.ts"
import { red, yellow } from "../terminal.ts"

export interface ServerPrinter {
  readonly broker: ServerLog
  readonly connect: ServerLog
}

export const LOG_OPTION = { value: "text|json", help: "how events are told on stderr", default: "text" } as const

export function serverPrinter(format: string): ServerPrinter {
  if (format === "json") {
    const end = json("process")
    tellFaultsBy((message, stack) =>
      end(message, { level: "error", event: "process-failed", ...(stack !== undefined && { stack }) }),
    )
    return { broker: json("broker"), connect: json("connect") }
  }
  if (format !== "text") throw new UsageError(`--log ${format}: expected text or json`)
  return { broker: text(""), connect: text("connect: ") }
}

/** What is served there is nobody's secret, and everybody's who reaches it. */
export function warnOfMetrics(log: ServerLog, at: Address): void {
  if (isLoopback(at.host)) return
  const address = formatAddress(at)
  log(`--metrics ${address} tells whoever reaches it the names of topics and groups, unencrypted`, {
    ...{ level: "warn", event: "metrics-unguarded", address },
  })
}

const LEVELS: Readonly<Record<ServerEvent["level"], string>> = {
  info: "INFO ",
  warn: yellow("WARN ", process.stderr),
  error: red("ERROR", process.stderr),
}

const text =
  (part: string): ServerLog =>
  (message, { level }) =>
    console.error(`${new Date().toISOString()} ${LEVELS[level]} ${part}${message}`)

const json =
  (part: string): ServerLog =>
  (message, event) =>
    console.error(JSON.stringify({ time: new Date().toISOString(), part, ...event, message }))
