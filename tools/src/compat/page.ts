/**
 * docs/compatibility.md: a section for each suite, so that one can be run, and written anew, without the others.
 */
import { readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import type { Outcome } from "./check.ts"

const PAGE = path.resolve(import.meta.dirname, "../../../docs/compatibility.md")
const NOTE_CHARACTERS_MAX = 160

/** What the page says now, by title. */
export const readSections = (): Map<string, string> => sectionsOf(readFileSync(PAGE, "utf8"))

export const writeSections = (titles: readonly string[], sections: ReadonlyMap<string, string>): void =>
  writeFileSync(PAGE, pageOf(titles, sections))

export function sectionsOf(page: string): Map<string, string> {
  const [, ...parts] = page.split(/^## /m)
  return new Map(
    parts.map((part) => {
      const end = part.indexOf("\n")
      return [part.slice(0, end), part.slice(end).trim()]
    }),
  )
}

export function section(rows: readonly Outcome[], ending: string): string {
  const clean = (text: string) => text.split("\n")[0]!.replaceAll("|", "\\|").slice(0, NOTE_CHARACTERS_MAX)
  const lines = [
    "| client | what it did | result | note |",
    "| --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row.client} | ${clean(row.name)} | ${row.result} | ${clean(row.note)} |`),
  ]
  return [lines.join("\n"), ending].join("\n\n").trim()
}

/** Sections that no suite has any longer go. */
export function pageOf(titles: readonly string[], sections: ReadonlyMap<string, string>): string {
  const said = titles.filter((title) => sections.has(title)).map((title) => `## ${title}\n\n${sections.get(title)}\n`)
  return [
    "# Compatibility\n",
    "Written by `npm run compat`: other people's clients and tools against `millrace broker`, unmodified.\n",
    ...said,
  ].join("\n")
}
