/**
 * The options of a JAAS line, in which Kafka's settings hold users and passwords:
 *
 *   org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="it's secret";
 */
import { ConfigError } from "./parse.ts"

const LINE =
  /^\s*[\w.$]+\s+(?:required|requisite|sufficient|optional)((?:\s+[\w.-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s";]+))*)\s*;\s*$/
const OPTION = /([\w.-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))/g

/** By name; none for null. Throws a ConfigError that names the setting, and says nothing of what is in it. */
export function jaasOptions(key: string, line: string | null): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  if (line === null) return options
  const list = LINE.exec(line)?.[1]
  if (list === undefined)
    throw new ConfigError(key, `config ${key} must have the form: MODULE required NAME="VALUE" NAME="VALUE";`)
  for (const [, name, quoted, bare] of list.matchAll(OPTION)) {
    options.set(name!, quoted === undefined ? bare! : quoted.replaceAll(/\\(.)/g, "$1"))
  }
  return options
}
