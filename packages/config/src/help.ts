/**
 * What a table says to people: terminal help and the reference page.
 */
import type { Entry } from "./entry.ts"
import type { ConfigTable } from "./table.ts"

const HELP_WIDTH = 100

/** Aligned lines: name, default and documentation, folded to the terminal's width. */
export function helpText(table: ConfigTable, width = HELP_WIDTH): string {
  const lines: string[] = []
  for (const [name, entry] of visible(table)) {
    lines.push(`${name}  (${facts(entry)})`)
    for (const line of fold(entry.doc, width - 6)) lines.push(`      ${line}`)
  }
  return lines.join("\n")
}

/** A Markdown table of all visible entries. */
export function helpMarkdown(table: ConfigTable): string {
  const rows = visible(table).map(
    ([name, entry]) =>
      `| \`${name}\` | ${cell(printDefault(entry))} | ${escapeCell(entry.allowed)} | ${escapeCell(entry.doc)} |`,
  )
  return ["| setting | default | value | |", "|---|---|---|---|", ...rows].join("\n")
}

function visible(table: ConfigTable): [string, Entry<unknown>][] {
  return Object.entries(table).filter(([, entry]) => !entry.hidden)
}

function facts(entry: Entry<unknown>): string {
  const value = printDefault(entry)
  return `${entry.allowed}; ${value === undefined ? "required" : value === "" ? "no default" : `default ${value}`}`
}

function printDefault(entry: Entry<unknown>): string | undefined {
  if (entry.default === undefined) return undefined
  return entry.secret ? "" : (entry.print(entry.default) ?? "")
}

function cell(value: string | undefined): string {
  if (value === undefined) return "required"
  return value === "" ? "" : `\`${escapeCell(value)}\``
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ")
}

function fold(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === "" ? word : `${line} ${word}`
    }
  }
  if (line !== "") lines.push(line)
  return lines
}
