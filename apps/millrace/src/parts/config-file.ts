/**
 * Settings of a server: those of a properties file, and above them what `--set` says.
 */
import { ConfigError, type Properties, readProperties } from "@millrace/config"
import { nodeDisk } from "@millrace/host/node"
import { Failure, UsageError } from "../command.ts"
import { settings } from "../serve.ts"

export interface Given {
  readonly file: string | undefined
  readonly set: readonly string[]
}

/** Reads both; `check` throws a ConfigError for what is wrong, which then says where the setting was made. */
export function readSettings(given: Given, check: (config: Record<string, string>) => void): Record<string, string> {
  const { settings: inFile, lines } = given.file === undefined ? NONE : propertiesOf(given.file)
  const inOptions = settings(given.set)
  const config = { ...inFile, ...inOptions }
  try {
    check(config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (given.file !== undefined && !Object.hasOwn(inOptions, error.key) && Object.hasOwn(inFile, error.key)) {
      throw new Failure(`${given.file}, line ${lines.get(error.key)}: ${error.message}`, { cause: error })
    }
    throw new UsageError(`--set: ${error.message}`, { cause: error })
  }
  return config
}

const NONE: Properties = { settings: {}, lines: new Map() }

function propertiesOf(path: string): Properties {
  const content = nodeDisk.readFile(path)
  if (content === undefined) throw new Failure(`cannot read ${path}: no such file`)
  return readProperties(Buffer.from(content).toString("utf8"), path)
}
