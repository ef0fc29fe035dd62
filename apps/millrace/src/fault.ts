/**
 * How a command that failed ends: one line on stderr and the exit code, 2 for wrong arguments, 1 for the rest.
 */
import { inspect } from "node:util"
import { Failure, UsageError } from "./command.ts"

/**
 * Names of errors that tell a user nothing: JavaScript's own and broken invariants. Those are defects, and show where
 * they come from. All other classes are made for people: they name the file, port, key, topic or record at fault.
 */
const DEFECTS: ReadonlySet<string> = new Set([
  "Error",
  "TypeError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "AggregateError",
  "InvariantViolation",
])

/** Prints a fault; the stack is of one that nobody expected. */
type Teller = (message: string, stack?: string) => void

let tell: Teller = (message, stack) => console.error(`millrace: ${message}${stack === undefined ? "" : `\n${stack}`}`)

/** Of a server whose events are read by programs: from here on they are told of its end in their way too. */
export function tellFaultsBy(teller: Teller): void {
  tell = teller
}

/** Prints what there is to say and answers the exit code. */
export function reportFault(error: unknown): number {
  if (!(error instanceof Error) || (DEFECTS.has(error.name) && !isSystemError(error))) {
    tell("an unexpected fault; please report it with what follows", inspect(error))
    return 1
  }
  tell(oneLine(error.message))
  return error instanceof UsageError ? 2 : 1
}

/** Of the operating system: its message names the call and the path or address. */
const isSystemError = (error: Error): boolean => "syscall" in error && "code" in error

/**
 * A record that could not be processed ends a run: told with the line of the module where that shows, and with where to read
 * about other ends. Told by its name, so that commands without pipelines need not load what makes it.
 */
export function ofRecord(error: unknown, file: string, absolute: string): unknown {
  if (!(error instanceof Error) || error.name !== "ProcessingError") return error
  const line = placeOf(error.cause, absolute)
  const place = line === "" ? "" : `, at ${file}${line}`
  const told = `${error.message}${place}; how to skip such records, or put them aside: docs/guides/exactly-once.md`
  return new Failure(told, { cause: error })
}

/** `, line N`: where in a module it happened, from the stack. */
export function placeOf(error: unknown, absolute: string): string {
  if (!(error instanceof Error) || error.stack === undefined) return ""
  const at = error.stack.indexOf(absolute)
  const line = at < 0 ? undefined : /^:(\d+)/.exec(error.stack.slice(at + absolute.length))?.[1]
  return line === undefined ? "" : `, line ${line}`
}

/** The first line of a report: the rest is for those who look for it. */
export const firstLine = (text: string): string => text.split("\n", 1)[0]!

export const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, " ")
