/**
 * npm run compat: foreign clients and tools against our broker.
 */
import { scriptArguments, wrongArguments } from "../script-arguments.ts"
import { type Check, type Outcome, perform } from "./check.ts"
import { clientsAndTools } from "./clients-and-tools.ts"
import { javaPrograms } from "./java-programs.ts"
import { librdkafka } from "./librdkafka.ts"
import { otherClients } from "./other-clients.ts"
import { readSections, section, writeSections } from "./page.ts"
import type { Suite } from "./suite.ts"

const SUITES: Readonly<Record<string, Suite>> = {
  tools: clientsAndTools,
  clients: otherClients,
  java: javaPrograms,
  librdkafka,
}

const USAGE = `npm run compat: all suites; writes docs/compatibility.md
npm run compat -- --suite NAME  one suite (${Object.keys(SUITES).join(", ")}), and its section of the page; more than once, if need be
npm run compat -- --only TEXT   the checks whose client or name contains the text; writes nothing`

const { values: options } = scriptArguments(USAGE, {
  options: { suite: { type: "string", multiple: true, default: Object.keys(SUITES) }, only: { type: "string" } },
})

const unknown = options.suite.find((name) => SUITES[name] === undefined)
if (unknown !== undefined) wrongArguments(USAGE, `there is no suite ${unknown}`)

const sections = readSections()
const all: Outcome[] = []
for (const name of options.suite) {
  const suite = SUITES[name]!
  const outcomes: Outcome[] = []
  const started = performance.now()
  const ending = await suite.run((checks, atOnce) => performAll(checks, atOnce ?? 1, outcomes))
  console.log(`${suite.title}: ${Math.round((performance.now() - started) / 1000)} s`)
  sections.set(suite.title, section(outcomes, ending ?? ""))
  all.push(...outcomes)
}
if (options.only === undefined)
  writeSections(
    Object.values(SUITES).map(({ title }) => title),
    sections,
  )
const count = (result: Outcome["result"]) => all.filter((outcome) => outcome.result === result).length
console.log(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`)
process.exitCode = count("failed") === 0 ? 0 : 1

/**
 * Outcomes stand in the order of the checks, whichever ends first. What fails while others run is tried once more, alone:
 * tests of other people's often say how long a call may take, on a machine that has nothing else to do.
 */
async function performAll(checks: readonly Check[], atOnce: number, outcomes: Outcome[]): Promise<void> {
  const chosen = checks.filter(({ client, name }) => `${client}: ${name}`.includes(options.only ?? ""))
  const found: Outcome[] = []
  const waiting = chosen.entries()
  const worker = async () => {
    for (const [at, check] of waiting) found[at] = tell(await perform(check))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  for (const [at, before] of atOnce > 1 ? found.entries() : []) {
    if (before.result !== "failed") continue
    const again = tell(await perform(chosen[at]!))
    found[at] = again.result === "passed" ? { ...again, note: `alone, and not among others: ${before.note}` } : again
  }
  outcomes.push(...found)
}

function tell(outcome: Outcome): Outcome {
  console.log(`${outcome.result.padEnd(8)} ${outcome.client}: ${outcome.name}: ${outcome.note.split("\n")[0]}`)
  if (outcome.result === "failed") console.error(outcome.note)
  return outcome
}
