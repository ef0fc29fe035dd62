/**
 * Java's .properties format, in which Kafka's configuration files are written: `key=value`, `key: value` or
 * `key value`, comments with # or !, a trailing backslash continues the line, \uXXXX and \t \n \r \f escapes.
 */
import { ConfigError } from "./parse.ts"

/** Reads a whole file's text. `origin` names the file in errors. The last of two equal keys wins, as in Java. */
export function parseProperties(text: string, origin: string): Record<string, string> {
  const settings: Record<string, string> = {}
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
    settings[key] = unescape(line.slice(split.valueStart))
  }
  return settings
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
