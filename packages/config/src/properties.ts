/**
 * Java's .properties format, in which Kafka's configuration files are written: `key=value`, `key: value` or
 * `key value`, comments with # or !, a trailing backslash continues the line, \uXXXX and \t \n \r \f escapes.
 */
import { ConfigError } from "./parse.ts"

/** A file's settings, and the line on which each of them begins. */
export interface Properties {
  readonly settings: Record<string, string>
  readonly lines: ReadonlyMap<string, number>
}

/** Reads a whole file's text. `origin` names the file in errors. */
export const parseProperties = (text: string, origin: string): Record<string, string> =>
  readProperties(text, origin).settings

/** The same with lines. A key that is set twice is refused: Java takes the last one, and nobody sees which that is. */
export function readProperties(text: string, origin: string): Properties {
  const settings: Record<string, string> = {}
  const lineOf = new Map<string, number>()
  const lines = text.split(/\r\n|\r|\n/)
  for (let index = 0; index < lines.length; index++) {
    const first = index + 1
    let line = lines[index]!.trimStart()
    if (line === "" || line.startsWith("#") || line.startsWith("!")) continue
    while (endsInContinuation(line) && index + 1 < lines.length) {
      index++
      line = line.slice(0, -1) + lines[index]!.trimStart()
    }
    const split = splitPoint(line)
    const key = unescape(line.slice(0, split.keyEnd))
    if (key === "") throw new ConfigError("", `${origin}, line ${first}: a setting needs a key before its value`)
    const before = lineOf.get(key)
    if (before !== undefined)
      throw new ConfigError(key, `${origin}, line ${first}: ${key} is set on line ${before} already`)
    lineOf.set(key, first)
    settings[key] = unescape(line.slice(split.valueStart))
  }
  return { settings, lines: lineOf }
}

function endsInContinuation(line: string): boolean {
  let slashes = 0
  while (line[line.length - 1 - slashes] === "\\") slashes++
  return slashes % 2 === 1
}

function splitPoint(line: string): { keyEnd: number; valueStart: number } {
  let keyEnd = 0
  while (keyEnd < line.length && !"=: \t\f".includes(line[keyEnd]!)) keyEnd += line[keyEnd] === "\\" ? 2 : 1
  keyEnd = Math.min(keyEnd, line.length)
  const separator = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.slice(keyEnd))
  return { keyEnd, valueStart: keyEnd + (separator?.[0].length ?? 0) }
}

function unescape(text: string): string {
  if (!text.includes("\\")) return text
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|.|$)/gs, (_, escape: string) => {
    if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return { t: "\t", n: "\n", r: "\r", f: "\f" }[escape] ?? escape
  })
}
