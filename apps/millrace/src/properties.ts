/**
 * Java's properties format, as Kafka's configuration files use it: `key=value` or `key: value`, `#` and `!` comments,
 * a backslash at the end continues a line.
 */
export function parseProperties(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  for (const line of logicalLines(text)) {
    const match = /^([^=:\s]+)\s*[=:]?\s*(.*)$/.exec(line)
    if (match) values[match[1]!] = match[2]!.trim()
  }
  return values
}

function* logicalLines(text: string): Iterable<string> {
  let pending = ""
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trimStart()
    if (pending === "" && (line === "" || line.startsWith("#") || line.startsWith("!"))) continue
    if (/(^|[^\\])(\\\\)*\\$/.test(line)) {
      pending += line.slice(0, -1)
      continue
    }
    yield pending + line
    pending = ""
  }
  if (pending !== "") yield pending
}
