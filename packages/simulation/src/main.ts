/**
 * npm run sim: runs seeds of the suites. Exit code 1 when a seed found a fault, or a mutant was not caught.
 *
 * Every seventh seed runs twice, and both runs must leave the same trace: a simulation that depends on anything but its
 * seed cannot be repeated, and what cannot be repeated cannot be mended.
 */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { readArguments, USAGE } from "./arguments.ts"
import { install } from "./mutant.ts"
import { MUTANTS } from "./mutants.ts"
import type { Suite } from "./suite.ts"

const SUITES: Readonly<Record<string, () => Promise<{ readonly suite: Suite }>>> = {
  broker: () => import("./broker-suite.ts"),
  "consumer-group": () => import("./consumer-group-suite.ts"),
  logs: () => import("./logs-suite.ts"),
  streams: () => import("./streams-suite.ts"),
  "streams-group": () => import("./streams-group-suite.ts"),
}
const REPEAT_EVERY = 7
const PROGRESS_EVERY = 20

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(USAGE)
    return 0
  }
  const options = readArguments(args, Object.keys(SUITES))
  if (options.mutants) return huntMutants(options.seeds)
  if (options.mutant !== undefined) {
    const mutant = MUTANTS.find((one) => one.name === options.mutant)
    if (mutant === undefined)
      throw new Error(`unknown mutant ${options.mutant}; there are: ${MUTANTS.map((one) => one.name).join(", ")}`)
    install(mutant)
  }
  let passed = 0
  let failed = 0
  for (const [name, load] of Object.entries(SUITES)) {
    if (options.suite !== "all" && options.suite !== name) continue
    const { suite } = await load()
    const started = performance.now()
    const kinds = new Map<string, number>()
    const figures = new Map<string, number>()
    for (let seed = options.from; seed < options.from + options.seeds; seed++) {
      const outcome = await suite(seed, {
        onEvent: options.trace ? (atMs, label) => console.log(`${atMs.toFixed(3)} ${label}`) : undefined,
      })
      const findings = [...outcome.findings]
      if (findings.length === 0 && seed % REPEAT_EVERY === 0) {
        const again = await suite(seed, {})
        if (again.trace !== outcome.trace)
          findings.push(`not deterministic: traces ${outcome.trace} and ${again.trace}`)
      }
      if (findings.length === 0) passed++
      else {
        failed++
        console.log(
          `suite ${name} seed ${seed} FAILED; repeat it with: npm run sim -- --suite ${name} --from ${seed} --seeds 1 --trace`,
        )
        for (const finding of findings.slice(0, 10)) console.log(`  ${finding}`)
        if (options.mutant !== undefined) return 1
      }
      kinds.set(outcome.kind, (kinds.get(outcome.kind) ?? 0) + 1)
      for (const [figure, count] of Object.entries(outcome.figures))
        figures.set(figure, (figures.get(figure) ?? 0) + count)
      const done = seed - options.from + 1
      if (options.mutant === undefined && (done % PROGRESS_EVERY === 0 || done === options.seeds)) {
        console.log(`suite ${name}: ${done} of ${options.seeds} seeds, ${Math.round(performance.now() - started)} ms`)
      }
    }
    if (options.mutant === undefined) console.log(`suite ${name}: ${list(kinds)}; ${list(figures)}`)
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${count} ${what}`).join(", ")
}

/** Each mutant in a process of its own, since it changes what is loaded. */
function huntMutants(seeds: number): number {
  let caught = 0
  for (const mutant of MUTANTS) {
    const args = [
      fileURLToPath(import.meta.url),
      "--suite",
      mutant.suite,
      "--seeds",
      String(seeds),
      "--mutant",
      mutant.name,
    ]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    })
    const found = /seed (\d+) FAILED.*\n +(.*)/.exec(stdout)
    if (status === 1 && found !== null) {
      caught++
      console.log(`caught   ${mutant.name} at seed ${found[1]}: ${found[2]!.slice(0, 100)}`)
    } else {
      console.log(`MISSED   ${mutant.name}: ${mutant.fault}${stderr ? `\n${stderr.slice(-600)}` : ""}`)
    }
  }
  console.log(`${caught} passed, ${MUTANTS.length - caught} failed`)
  return caught === MUTANTS.length ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
