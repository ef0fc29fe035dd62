/**
 * npm run bench -- SUITE [--json FILE] [--rounds N]: benchmarks with peers side by side in the same run, as ratios.
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"

export interface Row {
  readonly what: string
  readonly unit: string
  /** Medians over the rounds, by who was measured. */
  readonly medians: Readonly<Record<string, number>>
}

const SUITES: Readonly<Record<string, () => Promise<{ run(rounds: number): Promise<Row[]> }>>> = {
  start: () => import("./start.ts"),
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, rounds: { type: "string", default: "5" } },
})
const load = SUITES[positionals[0] ?? ""]
if (load === undefined) {
  console.error(
    `npm run bench -- SUITE: ${positionals[0] === undefined ? "name a suite" : `unknown suite ${positionals[0]}`}; there are: ${Object.keys(SUITES).join(", ")}`,
  )
  process.exit(2)
}
const rows = await (await load()).run(Number(options.rounds))
for (const { what, unit, medians } of rows) {
  const ours = medians["millrace"]!
  const figures = Object.entries(medians).map(([who, value]) =>
    who === "millrace"
      ? `millrace ${Math.round(value)} ${unit}`
      : `${who} ${Math.round(value)} ${unit} (${(value / ours).toFixed(1)}x ours)`,
  )
  console.log(`${what}: ${figures.join(", ")}`)
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
