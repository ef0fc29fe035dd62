/**
 * What a linter does not see: layers, file lengths, folder names, unfinished words, one H1 a page. Part of
 * `npm run check`; prints every finding as `file:line: message` and exits 1 when there is one.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { CORES, FORBIDDEN, LAYERS, OUTSIDE_LAYERS } from "./layers.ts"

const SOURCE_LINES_MAX = 500
const BANNED_FOLDERS = /(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/
const UNFINISHED = /\b(TODO|FIXME|HACK)\b|not (yet )?implemented/

const findings: string[] = []
const report = (file: string, line: number, message: string): void => void findings.push(`${file}:${line}: ${message}`)

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && existsSync(file))

const layerOf = new Map<string, number>()
const nameOf = new Map<string, string>()
for (const [layer, members] of LAYERS.entries()) for (const member of members) layerOf.set(member, layer)
for (const member of [...layerOf.keys(), ...OUTSIDE_LAYERS]) {
  const manifest = `${member}/package.json`
  if (existsSync(manifest)) nameOf.set(JSON.parse(readFileSync(manifest, "utf8")).name, member)
}

for (const file of files) {
  if (BANNED_FOLDERS.test(file)) report(file, 1, "a name that says nothing: put each thing with its concept")
  if (file.endsWith("package.json")) checkManifest(file)
  if (file.endsWith(".md") && !file.startsWith(".changeset/")) checkPage(file)
  if (file.endsWith(".ts")) checkSource(file)
}

function ownerOf(file: string): string | undefined {
  return [...layerOf.keys(), ...OUTSIDE_LAYERS].find((member) => file.startsWith(`${member}/`))
}

function checkManifest(file: string): void {
  const owner = path.dirname(file)
  const manifest = JSON.parse(readFileSync(file, "utf8"))
  for (const dependency of Object.keys(manifest.dependencies ?? {})) checkEdge(file, 1, owner, dependency)
}

function checkEdge(file: string, line: number, owner: string, imported: string): void {
  const target = nameOf.get(imported)
  if (target === undefined || target === owner || OUTSIDE_LAYERS.includes(owner)) return
  if (OUTSIDE_LAYERS.includes(target)) return report(file, line, `${imported} is for development only`)
  if (layerOf.get(target)! >= layerOf.get(owner)!) {
    report(
      file,
      line,
      `${owner} (layer ${layerOf.get(owner)}) may not import ${imported} (layer ${layerOf.get(target)})`,
    )
  }
  const rule = FORBIDDEN.find((one) => one.from === owner && one.to === imported)
  if (rule) report(file, line, `${owner} may not import ${imported}: ${rule.why}`)
}

function checkSource(file: string): void {
  const owner = ownerOf(file)
  const text = readFileSync(file, "utf8")
  const lines = text.split("\n")
  const isSource = /\/src\//.test(file)
  if (isSource && lines.length > SOURCE_LINES_MAX)
    report(file, SOURCE_LINES_MAX, `${lines.length} lines: split it by concept`)
  const isCore = CORES.some((core) => file.startsWith(`${core}/`))
  const declared = owner === undefined ? {} : dependenciesOf(owner)
  for (const [index, content] of lines.entries()) {
    if (isSource && UNFINISHED.test(content) && file !== "tools/src/tidy.ts")
      report(file, index + 1, "unfinished work belongs in an issue")
    if (isSource && /^\s*(@\w+(\(|\s)|accessor )/.test(content))
      report(file, index + 1, "decorators and accessors do not survive type stripping")
    const imported = /^\s*(?:import|export)\b[^"']*\bfrom "([^"]+)"|^import "([^"]+)"/.exec(content)
    const specifier = imported?.[1] ?? imported?.[2]
    if (specifier === undefined) continue
    if (specifier.startsWith(".") || specifier.startsWith("node:")) {
      if (isCore && specifier.startsWith("node:")) report(file, index + 1, `a core imports no ${specifier}`)
      continue
    }
    if (isCore && /^(effect|rxjs)(\/|$)/.test(specifier)) report(file, index + 1, `a core imports no ${specifier}`)
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/")
    if (!isSource || owner === undefined) continue
    checkEdge(file, index + 1, owner, name)
    if (!(name in declared)) report(file, index + 1, `${name} is not in ${owner}/package.json`)
  }
}

function dependenciesOf(owner: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(`${owner}/package.json`, "utf8"))
  return { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies, [manifest.name]: "" }
}

function checkPage(file: string): void {
  const text = readFileSync(file, "utf8").replace(/^```[\s\S]*?^```/gm, "")
  const titles = text.split("\n").filter((line) => line.startsWith("# ")).length
  if (titles !== 1) report(file, 1, `a page has one title, this has ${titles}`)
}

for (const finding of findings) console.error(finding)
console.log(findings.length === 0 ? `tidy: ${files.length} files, nothing to mend` : `tidy: ${findings.length} to mend`)
process.exit(findings.length === 0 ? 0 : 1)
