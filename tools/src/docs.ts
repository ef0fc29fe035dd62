/**
 * Writes `docs/reference` from the tables of commands, settings and semantics:  node tools/src/docs.ts [--check]
 *
 * With `--check` nothing is written; pages that are not what the tables say are named, and it exits 1. So it does when a
 * row of the semantics has no test.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { referencePages } from "millrace/reference"
import { broker, semanticsPage, streams } from "./semantics.ts"

const DIRECTORY = "docs/reference"
const FORMATTER = "node_modules/.bin/oxfmt"

const [argument, ...rest] = process.argv.slice(2)
if (rest.length > 0 || (argument !== undefined && argument !== "--check")) {
  console.error(`docs: unknown argument ${rest[0] ?? argument}; usage: node tools/src/docs.ts [--check]`)
  process.exit(2)
}

const semantics = [broker, streams].map((one) => ({ name: `${one.name}.md`, ...semanticsPage(one) }))
const semanticsPages = semantics.map(({ name, page }) => [name, page] as const)
const pages = formatted(new Map([...(await referencePages()), ...semanticsPages]))
mkdirSync(DIRECTORY, { recursive: true })
const stale = [
  ...[...pages].filter(([name, content]) => read(`${DIRECTORY}/${name}`) !== content).map(([name]) => name),
  ...readdirSync(DIRECTORY).filter((name) => !pages.has(name)),
]
if (argument === undefined) {
  for (const name of stale) {
    const content = pages.get(name)
    if (content === undefined) rmSync(`${DIRECTORY}/${name}`)
    else writeFileSync(`${DIRECTORY}/${name}`, content)
  }
  console.log(`docs: ${pages.size} pages, ${stale.length} changed`)
} else {
  for (const name of stale) console.error(`${DIRECTORY}/${name}: not what the tables say; run: node tools/src/docs.ts`)
  if (stale.length === 0) console.log(`docs: ${pages.size} pages are fresh`)
  process.exitCode = stale.length === 0 ? 0 : 1
}
const findings = semantics.flatMap((page) => page.findings)
for (const finding of findings) console.error(finding)
if (findings.length > 0) process.exitCode = 1

/** As the formatter leaves them, so that both checks agree. */
function formatted(raw: ReadonlyMap<string, string>): Map<string, string> {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-docs-"))
  try {
    const files = [...raw].map(([name, content]) => {
      writeFileSync(`${directory}/${name}`, content)
      return `${directory}/${name}`
    })
    execFileSync(FORMATTER, ["--config", ".oxfmtrc.json", ...files], { stdio: ["ignore", "ignore", "inherit"] })
    return new Map([...raw.keys()].map((name) => [name, readFileSync(`${directory}/${name}`, "utf8")]))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}
