/**
 * Kafka's semantics row by row: what they are, what ours are, and which tests prove it. One page for the broker, one for
 * streams.
 *
 * Rows are lines of a file, `broker-semantics.txt` or `streams-semantics.txt`; proofs are names of tests that begin with the
 * ids of rows. A row that claims something without a test is a finding, and so is a test of a row that does not exist.
 * Suites that take more than npm are shown, and prove nothing: they do not run with the others.
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

export interface Semantics {
  /** The page's name, and that of the file with its rows. */
  readonly name: string
  readonly title: string
  /** Whose semantics: the head of a column. */
  readonly of: string
  readonly intro: readonly string[]
  /** Where tests of rows are. */
  readonly folders: readonly string[]
  /** What a row's id looks like, and what stands between several in a test's name. */
  readonly id: string
  readonly separator: string
  /** Why rows differ on purpose. */
  readonly reasons?: string
}

const PAGE_DIRECTORY = "docs/reference"
const ADR = "../adr/0010-where-streams-differ-from-kafka-streams-on-purpose.md"

export const streams: Semantics = {
  name: "streams-semantics",
  title: "The semantics of streams, row by row",
  of: "Kafka Streams",
  intro: [
    "What Kafka Streams does, in our words; whether Millrace does the same; and the tests that prove it: those whose names",
    `begin with the row's id. Where it differs on purpose, [ADR 10](${ADR}) says why.`,
  ],
  folders: ["streams", "testing", "client"].map((name) => `packages/${name}/test`),
  id: "[A-Z]\\d+",
  separator: " ",
  reasons: ADR,
}

export const broker: Semantics = {
  name: "broker-semantics",
  title: "The semantics of the broker, row by row",
  of: "Apache Kafka 4.4",
  intro: [
    "What Kafka's broker does, in our words; whether Millrace's does the same; and the tests that prove it: those whose names",
    "begin with the row's number. Suites named `.e2e` ask both brokers the same and compare the answers field by field; what",
    "may differ, and why, is in [differences](../../packages/broker/e2e/differences.ts) and in the scenes `on purpose`.",
  ],
  folders: [...["broker", "storage", "protocol"].map((name) => `packages/${name}/test`), "packages/broker/e2e"],
  id: "V?\\d{1,3}",
  separator: ", ",
}

const ROW = /^(\S+) (same|differs|unserved)(\*?) {2}([^|]+?)(?: \| (.+))?$/

export function parseSemantics(text: string, { id: form }: Semantics): SemanticsTable[] {
  const tables: SemanticsTable[] = []
  const ids = new Set<string>()
  const isId = new RegExp(`^${form}$`)
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("## ")) tables.push({ title: line.slice(3), rows: [] })
    const table = tables.at(-1)
    if (table === undefined || line === "" || line.startsWith("## ")) continue
    const [, id, verdict, star, meaning, note] = ROW.exec(line) ?? []
    if (id === undefined || !isId.test(id)) throw new Error(`line ${index + 1} of the semantics is no row: ${line}`)
    if (ids.has(id)) throw new Error(`line ${index + 1} of the semantics: ${id} is there already`)
    if (verdict !== "same" && note === undefined)
      throw new Error(`line ${index + 1} of the semantics: ${id} says "${verdict}" and not how, or why`)
    ids.add(id)
    table.rows.push({ id, verdict: verdict as Verdict, isComing: star === "*", meaning: meaning!, note })
  }
  return tables
}

export function proofsIn(files: ReadonlyMap<string, string>, { id, separator }: Semantics): Proofs {
  // A name of a test, or of a row of a table of tests: a string that begins with ids.
  const proof = new RegExp(`["'\`]((?:${id}${separator})*${id}): `, "g")
  const proofs = new Map<string, Set<string>>()
  for (const [file, text] of files) {
    for (const [, ids] of text.matchAll(proof)) {
      for (const one of ids!.split(separator)) proofs.set(one, (proofs.get(one) ?? new Set()).add(file))
    }
  }
  return proofs
}

const runsAlone = (file: string) => file.endsWith(".e2e.ts")

export function semanticsFindings(tables: readonly SemanticsTable[], proofs: Proofs): string[] {
  const rows = tables.flatMap((table) => table.rows)
  const ids = new Set(rows.map(({ id }) => id))
  const isProved = (id: string) => [...(proofs.get(id) ?? [])].some((file) => !runsAlone(file))
  const claimed = rows.filter(({ verdict, isComing, id }) => verdict !== "unserved" && !isComing && !isProved(id))
  return [
    ...claimed.map(({ id, verdict }) => `row ${id} says "${verdict}", and no test has a name that begins with ${id}`),
    ...[...proofs].flatMap(([id, files]) => (ids.has(id) ? [] : [`${[...files].join(", ")}: there is no row ${id}`])),
    ...rows.flatMap(({ id, verdict }) =>
      verdict === "unserved" && proofs.has(id) ? [`row ${id} is not served, and has tests`] : [],
    ),
  ]
}

export function semanticsMarkdown(tables: readonly SemanticsTable[], proofs: Proofs, semantics: Semantics): string {
  const lines = [`# ${semantics.title}`, "", ...semantics.intro]
  for (const { title, rows } of tables) {
    lines.push("", `## ${title}`, "", `| Row | ${semantics.of} | Millrace | Tests |`, "|---|---|---|---|")
    for (const row of rows) {
      const verdict = verdictCell(row, proofs.has(row.id), semantics.reasons)
      lines.push(`| ${[row.id, row.meaning, verdict, testCell(proofs.get(row.id))].join(" | ")} |`)
    }
  }
  return `${lines.join("\n")}\n`
}

function verdictCell({ verdict, isComing, note }: SemanticsRow, isProved: boolean, reasons?: string): string {
  if (isComing && !isProved) return "coming"
  const differs = reasons === undefined ? "differs" : `[differs](${reasons})`
  const says = { same: "same", differs, unserved: "not served" }[verdict]
  return note === undefined ? says : `${says}: ${note}`
}

function testCell(files: ReadonlySet<string> | undefined): string {
  const links = [...(files ?? [])]
    .sort()
    .map((file) => `[${path.basename(file, ".ts").replace(/\.test$/, "")}](${path.relative(PAGE_DIRECTORY, file)})`)
  return links.join(", ")
}

/** A page, and what is wrong with it, from the files of the repository. */
export function semanticsPage(semantics: Semantics): { readonly page: string; readonly findings: readonly string[] } {
  const rowsFile = `${semantics.name}.txt`
  const tables = parseSemantics(readFileSync(`${import.meta.dirname}/${rowsFile}`, "utf8"), semantics)
  const files = semantics.folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name): [string, string] => [`${folder}/${name}`, readFileSync(`${folder}/${name}`, "utf8")]),
  )
  const proofs = proofsIn(new Map(files.sort(([a], [b]) => (a < b ? -1 : 1))), semantics)
  const findings = semanticsFindings(tables, proofs).map((finding) => `tools/src/${rowsFile}: ${finding}`)
  return { page: semanticsMarkdown(tables, proofs, semantics), findings }
}
