/**
 * The life of a server process: start the parts, print the ready line, wait for SIGTERM or SIGINT, drain, exit 0.
 */
import { type Address, NetError, parseAddress } from "@millrace/host"
import { Failure, UsageError } from "./command.ts"

/** A started part: what the ready line says of it, and how it ends. */
export interface Part {
  readonly label: string
  readonly at: string
  close(): Promise<void>
}

/** Shells' code for "ended by SIGINT". */
const INTERRUPTED = 130

/** Starts parts in order and serves until told to stop. Parts close in the opposite order. */
export async function serve(starts: readonly (() => Promise<Part>)[]): Promise<number> {
  const parts: Part[] = []
  const stopped = stopSignal()
  try {
    for (const start of starts) {
      const part = await unlessStopped(start(), stopped)
      if (part === undefined) return await endEarly(parts)
      parts.push(part)
    }
    printReady(parts.map((part) => `${part.label}=${part.at}`))
    await stopped
    return 0
  } finally {
    await closeAll(parts)
  }
}

/** The line that tells whoever started us that we serve; `ms` counts from the start of the process. */
export function printReady(fields: readonly string[]): void {
  console.log(`ready ${fields.join(" ")} ms=${Math.round(performance.now())}`)
}

/** Starts what listens where an option says; a port in use names the option. */
export async function listening<T>(option: string, start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    if (!(error instanceof NetError) || !UNUSABLE.has(error.code)) throw error
    throw new Failure(`${error.message}; choose another address with --${option}`, { cause: error })
  }
}

/** Why an address cannot be listened on: taken, another machine's, unknown, reserved. */
const UNUSABLE: ReadonlySet<string> = new Set(["EADDRINUSE", "EADDRNOTAVAIL", "ENOTFOUND", "EACCES"])

/** Undefined when we were told to stop first. */
export function unlessStopped<T>(starting: Promise<T>, stopped: Promise<void>): Promise<T | undefined> {
  return Promise.race([starting, stopped.then(() => undefined)])
}

/** Told to stop while something was starting: what runs is closed, what starts is left where it is. */
export async function endEarly(parts: Part[]): Promise<never> {
  await closeAll(parts)
  process.exit(0)
}

/** Last started, first closed; all of them, whatever one throws. */
export async function closeAll(parts: Part[]): Promise<void> {
  const failures: unknown[] = []
  for (const part of parts.splice(0).toReversed()) await part.close().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

/** Resolves at the first SIGTERM, SIGINT or SIGHUP; a second one ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const stop = () => {
      if (asked) process.exit(INTERRUPTED)
      asked = true
      resolve()
    }
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, stop)
  })
}

/** Reads HOST:PORT of an option. */
export function addressOption(option: string, text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new UsageError(`--${option} ${text}: expected HOST:PORT, such as 127.0.0.1:9092`)
  return address
}

/** Reads repeated `--set key=value` into a record, each key once. */
export function settings(pairs: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf("=")
    if (at <= 0) throw new UsageError(`--set ${pair}: expected key=value`)
    const key = pair.slice(0, at).trim()
    if (Object.hasOwn(values, key)) throw new UsageError(`--set ${pair}: ${key} is ${values[key]} already`)
    values[key] = pair.slice(at + 1).trim()
  }
  return values
}

/** Reads an option that counts: digits, no less than `min` and no more than `max`. */
export function countOption(option: string, text: string, min = 0, max = Infinity): number {
  if (!/^\d{1,15}$/.test(text) || Number(text) < min || Number(text) > max) {
    const range = max < Infinity ? ` from ${min} to ${max}` : min > 0 ? `, at least ${min}` : ""
    throw new UsageError(`--${option} ${text}: expected a whole number${range}`)
  }
  return Number(text)
}
