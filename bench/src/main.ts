/**
 * npm run bench: benchmarks with peers side by side in the same run, as ratios.
 */
import { writeFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { countArgument, scriptArguments, wrongArguments } from "@millrace/tools/script-arguments"
import type { BrokerName, Row, SuiteOptions } from "./suite.ts"

const SUITES: Readonly<Record<string, () => Promise<{ run(options: SuiteOptions): Promise<Row[]> }>>> = {
  broker: () => import("./broker/suite.ts"),
  client: () => import("./client/suite.ts"),
  nexmark: () => import("./nexmark/suite.ts"),
  start: () => import("./start.ts"),
  rolling: () => import("./rolling/suite.ts"),
  partitions: () => import("./partitions.ts"),
  restore: () => import("./restore/suite.ts"),
  streams: () => import("./streams/suite.ts"),
}

const USAGE = `npm run bench -- SUITE [options]
  SUITE                    ${Object.keys(SUITES).join(", ")}
  --rounds N               of which the figures are the medians; 5 without it
  --records N              of one measurement; keys of the store in suite restore
  --broker kafka|millrace  on which it runs; kafka without it
  --only WORD,…            cases whose names hold one of the words; again for one more that they must hold
  --peers NAME,…           who is measured; all without it
  --all                    every case, not the default ones
  --unpinned               clients and brokers share all cores
  --json FILE              the rows, as JSON, too`

const { values: options, positionals } = scriptArguments(USAGE, {
  allowPositionals: true,
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "5" },
    records: { type: "string" },
    broker: { type: "string", default: "kafka" },
    only: { type: "string", multiple: true },
    peers: { type: "string" },
    all: { type: "boolean", default: false },
    unpinned: { type: "boolean", default: false },
  },
})
const load = SUITES[positionals[0] ?? ""]
if (load === undefined)
  wrongArguments(USAGE, positionals[0] === undefined ? "name a suite" : `unknown suite ${positionals[0]}`)
if (options.broker !== "kafka" && options.broker !== "millrace")
  wrongArguments(USAGE, `--broker ${options.broker}: kafka or millrace`)
const records = countArgument(USAGE, "records", options.records)
const rows = await (
  await load()
).run({
  rounds: countArgument(USAGE, "rounds", options.rounds),
  broker: options.broker satisfies BrokerName,
  all: options.all,
  unpinned: options.unpinned,
  ...(records !== undefined && { records }),
  ...(options.only && { only: options.only }),
  ...(options.peers !== undefined && { peers: options.peers.split(",") }),
})
/** Three digits at least. */
const figure = (value: number) => (value >= 100 ? String(Math.round(value)) : value.toPrecision(3))
for (const { what, unit, moreIsBetter, medians } of rows) {
  const ours = medians["millrace"]
  const figures = Object.entries(medians).map(([who, value]) => {
    if (who === "millrace" || ours === undefined) return `${who} ${figure(value)} ${unit}`
    return `${who} ${figure(value)} ${unit} (ours is ${(moreIsBetter ? ours / value : value / ours).toFixed(2)}x)`
  })
  console.log(`${what}: ${figures.join(", ")}`)
}
console.log(`load ${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores at the end`)
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
