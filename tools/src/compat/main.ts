/**
 * npm run compat: foreign clients and tools against our broker.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { scriptArguments } from "../script-arguments.ts"
import { BrokerProcess } from "../torture/broker-process.ts"
import { type Check, type Outcome, perform } from "./check.ts"
import { dumpLogChecks } from "./dump-log.ts"
import { javaConsumerChecks } from "./java-consumers.ts"
import { javaStreamsChecks, streamsGroupSettings } from "./java-streams.ts"
import { javaToolChecks } from "./java-tools.ts"
import { kafkajsChecks } from "./kafkajs.ts"
import { kcatChecks } from "./kcat.ts"
import { quotaChecks } from "./quotas.ts"
import { secureBroker } from "./security.ts"

const PAGE = path.resolve(import.meta.dirname, "../../../docs/compatibility.md")

const USAGE = `npm run compat: all checks; writes docs/compatibility.md
npm run compat -- --only TEXT   the checks whose client or name contains the text; writes nothing`

const { values: options } = scriptArguments(USAGE, { options: { only: { type: "string" } } })

const directory = mkdtempSync(path.join(tmpdir(), "millrace-compat-"))
// Small segments, so that rolls, several indexes and producer snapshots are part of what the tools read.
const broker = new BrokerProcess(path.join(directory, "log"), [
  "log.segment.bytes=4194304",
  "group.initial.rebalance.delay.ms=0",
  "offsets.topic.num.partitions=8",
  ...streamsGroupSettings,
])
const outcomes: Outcome[] = []

async function all(checks: readonly Check[]): Promise<void> {
  for (const check of checks) {
    if (!`${check.client}: ${check.name}`.includes(options.only ?? "")) continue
    const outcome = await perform(check)
    outcomes.push(outcome)
    console.log(`${outcome.result.padEnd(8)} ${outcome.client}: ${outcome.name}: ${outcome.note.split("\n")[0]}`)
    if (outcome.result === "failed") console.error(outcome.note)
  }
}

try {
  await broker.start()
  await all(await kcatChecks(broker.address))
  await all(kafkajsChecks(broker.address))
  await all(javaToolChecks(broker.address))
  await all(javaConsumerChecks(broker.address))
  await all(quotaChecks(broker.address))
  await all(javaStreamsChecks(broker.address))
  await broker.stop()
  await all(dumpLogChecks(broker.dataDir))
  const secure = await secureBroker()
  await all(secure.checks).finally(() => secure.stop())
} finally {
  await broker.stop()
  rmSync(directory, { recursive: true, force: true })
}

if (options.only === undefined) writeFileSync(PAGE, page(outcomes))
const count = (result: Outcome["result"]) => outcomes.filter((outcome) => outcome.result === result).length
console.log(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`)
process.exitCode = count("failed") === 0 ? 0 : 1

function page(rows: readonly Outcome[]): string {
  const clean = (text: string) => text.split("\n")[0]!.replaceAll("|", "\\|").slice(0, 160)
  return [
    "# Compatibility",
    "",
    "Written by `npm run compat`: other people's clients and tools against `millrace broker`, unmodified.",
    "",
    "| client | what it did | result | note |",
    "| --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row.client} | ${clean(row.name)} | ${row.result} | ${clean(row.note)} |`),
    "",
  ].join("\n")
}
