/**
 * Kafka Streams' semantics row by row: what they are, what ours are, and which tests prove it.
 *
 * Rows are lines of streams-semantics.txt; proofs are names of tests that begin with the ids of rows: `J5 J7: …`. A row
 * that claims something without a test is a finding, and so is a test of a row that does not exist.
 */
import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"

export type Verdict = "same" | "differs" | "unserved"

export interface SemanticsRow {
  readonly id: string
  readonly verdict: Verdict
  /** It is being built: without a test it is no finding yet. */
  readonly isComing: boolean
  readonly meaning: string
  readonly note: string | undefined
}

export interface SemanticsTable {
  readonly title: string
  readonly rows: SemanticsRow[]
}

/** Files with tests of a row, by its id. */
export type Proofs = ReadonlyMap<string, ReadonlySet<string>>

const PAGE_DIRECTORY = "docs/reference"
const ROWS_FILE = `${import.meta.dirname}/streams-semantics.txt`
const TEST_FOLDERS = ["streams", "testing", "client"].map((name) => `packages/${name}/test`)
const ADR = "../adr/0010-where-streams-differ-from-kafka-streams-on-purpose.md"

const ROW = /^([A-Z]\d+) (same|differs|unserved)(\*?) {2}([^|]+?)(?: \| (.+))?$/
/** A name of a test, or of a row of a table of tests: a string that begins with ids. */
const PROOF = /["'`]((?:[A-Z]\d+ )*[A-Z]\d+): /g

export function parseSemantics(text: string): SemanticsTable[] {
  const tables: SemanticsTable[] = []
  const ids = new Set<string>()
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("## ")) tables.push({ title: line.slice(3), rows: [] })
    const table = tables.at(-1)
    if (table === undefined || line === "" || line.startsWith("## ")) continue
    const [, id, verdict, star, meaning, note] = ROW.exec(line) ?? []
    if (id === undefined) throw new Error(`line ${index + 1} of the semantics is no row: ${line}`)
    if (ids.has(id)) throw new Error(`line ${index + 1} of the semantics: ${id} is there already`)
    if (verdict !== "same" && note === undefined)
      throw new Error(`line ${index + 1} of the semantics: ${id} says "${verdict}" and not how, or why`)
    ids.add(id)
    table.rows.push({ id, verdict: verdict as Verdict, isComing: star === "*", meaning: meaning!, note })
  }
  return tables
}

export function proofsIn(files: ReadonlyMap<string, string>): Proofs {
  const proofs = new Map<string, Set<string>>()
  for (const [file, text] of files) {
    for (const [, ids] of text.matchAll(PROOF)) {
      for (const id of ids!.split(" ")) proofs.set(id, (proofs.get(id) ?? new Set()).add(file))
    }
  }
  return proofs
}

export function semanticsFindings(tables: readonly SemanticsTable[], proofs: Proofs): string[] {
  const rows = tables.flatMap((table) => table.rows)
  const ids = new Set(rows.map(({ id }) => id))
  const claimed = rows.filter(({ verdict, isComing, id }) => verdict !== "unserved" && !isComing && !proofs.has(id))
  return [
    ...claimed.map(({ id, verdict }) => `row ${id} says "${verdict}", and no test has a name that begins with ${id}`),
    ...[...proofs].flatMap(([id, files]) => (ids.has(id) ? [] : [`${[...files].join(", ")}: there is no row ${id}`])),
    ...rows.flatMap(({ id, verdict }) =>
      verdict === "unserved" && proofs.has(id) ? [`row ${id} is not served, and has tests`] : [],
    ),
  ]
}

export function semanticsMarkdown(tables: readonly SemanticsTable[], proofs: Proofs): string {
  const lines = [
    "# The semantics of streams, row by row",
    "",
    "What Kafka Streams does, in our words; whether Millrace does the same; and the tests that prove it: those whose names",
    `begin with the row's id. Where it differs on purpose, [ADR 10](${ADR}) says why.`,
  ]
  for (const { title, rows } of tables) {
    lines.push("", `## ${title}`, "", "| Row | Kafka Streams | Millrace | Tests |", "|---|---|---|---|")
    for (const row of rows) {
      const cells = [row.id, row.meaning, verdictCell(row, proofs.has(row.id)), testCell(proofs.get(row.id))]
      lines.push(`| ${cells.join(" | ")} |`)
    }
  }
  return `${lines.join("\n")}\n`
}

function verdictCell({ verdict, isComing, note }: SemanticsRow, isProved: boolean): string {
  if (isComing && !isProved) return "coming"
  const says = { same: "same", differs: `[differs](${ADR})`, unserved: "not served" }[verdict]
  return note === undefined ? says : `${says}: ${note}`
}

function testCell(files: ReadonlySet<string> | undefined): string {
  const links = [...(files ?? [])]
    .sort()
    .map((file) => `[${path.basename(file, ".ts").replace(/\.test$/, "")}](${path.relative(PAGE_DIRECTORY, file)})`)
  return links.join(", ")
}

/** The page, and what is wrong with it, from the files of the repository. */
export function semanticsPage(): { readonly page: string; readonly findings: readonly string[] } {
  const tables = parseSemantics(readFileSync(ROWS_FILE, "utf8"))
  const files = TEST_FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name): [string, string] => [`${folder}/${name}`, readFileSync(`${folder}/${name}`, "utf8")]),
  )
  const proofs = proofsIn(new Map(files.sort(([a], [b]) => (a < b ? -1 : 1))))
  return { page: semanticsMarkdown(tables, proofs), findings: semanticsFindings(tables, proofs) }
}
