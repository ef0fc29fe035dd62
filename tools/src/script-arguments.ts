/**
 * Arguments of the repository's scripts: `--help` shows the usage, and what is wrong is one line above it, exit code 2.
 */
import { parseArgs, type ParseArgsConfig } from "node:util"

type Parsed<T extends ParseArgsConfig> = ReturnType<typeof parseArgs<T>>

/** Throws nothing: ends the process where there is nothing to run. */
export function scriptArguments<const T extends ParseArgsConfig>(usage: string, config: T): Parsed<T> {
  const args = [...(config.args ?? process.argv.slice(2))]
  if (args.some((arg) => arg === "--help" || arg === "-h")) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return parseArgs(config)
  } catch (error) {
    return wrongArguments(usage, (error as Error).message)
  }
}

export function wrongArguments(usage: string, reason: string): never {
  console.error(`${reason}\n${usage}`)
  process.exit(2)
}

/** A whole number that was given; undefined where none was. */
export function countArgument<T extends string | undefined>(
  usage: string,
  name: string,
  text: T,
): T extends string ? number : undefined
export function countArgument(usage: string, name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return /^\d{1,9}$/.test(text) ? Number(text) : wrongArguments(usage, `--${name} ${text}: expected a whole number`)
}
