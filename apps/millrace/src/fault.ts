/**
 * How a command that failed ends: one line on stderr and the exit code, 2 for wrong arguments, 1 for the rest.
 */
import { UsageError } from "./command.ts"

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

/** Prints what there is to say and answers the exit code. */
export function reportFault(error: unknown): number {
  if (!(error instanceof Error) || (DEFECTS.has(error.name) && !isSystemError(error))) {
    console.error("millrace: an unexpected fault; please report it with what follows")
    console.error(error)
    return 1
  }
  console.error(`millrace: ${oneLine(error.message)}`)
  return error instanceof UsageError ? 2 : 1
}

/** Of the operating system: its message names the call and the path or address. */
const isSystemError = (error: Error): boolean => "syscall" in error && "code" in error

/** The first line of a report: the rest is for those who look for it. */
export const firstLine = (text: string): string => text.split("\n", 1)[0]!

export const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, " ")
