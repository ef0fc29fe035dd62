/**
 * The life of a server process: start the parts, print the ready line, wait for SIGTERM or SIGINT, drain, exit 0.
 */
import { UsageError } from "./command.ts"
import { type Address, parseAddress } from "@millrace/host"

/** A started part: what the ready line says of it, and how it ends. */
export interface Part {
  readonly label: string
  readonly at: string
  close(): Promise<void>
}

/** Starts parts in order and serves until told to stop. Parts close in the opposite order. */
export async function serve(starts: readonly (() => Promise<Part>)[]): Promise<number> {
  const parts: Part[] = []
  const stopped = stopSignal()
  try {
    for (const start of starts) parts.push(await start())
    console.log(
      `ready ${parts.map((part) => `${part.label}=${part.at}`).join(" ")} ms=${Math.round(performance.now())}`,
    )
    await stopped
    return 0
  } finally {
    for (const part of parts.toReversed()) await part.close()
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const stop = () => {
      if (asked) process.exit(130)
      asked = true
      resolve()
    }
    process.on("SIGTERM", stop)
    process.on("SIGINT", stop)
  })
}

/** Reads HOST:PORT of an option. */
export function addressOption(option: string, text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new UsageError(`--${option} ${text}: expected HOST:PORT, such as 127.0.0.1:9092`)
  return address
}

/** Reads repeated `--set key=value` into a record; the last one of a key wins. */
export function settings(pairs: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf("=")
    if (at <= 0) throw new UsageError(`--set ${pair}: expected key=value`)
    values[pair.slice(0, at).trim()] = pair.slice(at + 1).trim()
  }
  return values
}
