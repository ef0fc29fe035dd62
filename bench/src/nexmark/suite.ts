/**
 * Suite "nexmark": the queries in Millrace, from the bytes of a topic to the bytes of a topic, exactly-once, as events per
 * CPU second of the process; beside what nexmark publishes of Flink. What a query wrote is read back and must be right
 * before its figure counts.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { nodeFlags } from "../launch.ts"
import { startBroker } from "../start-broker.ts"
import { measure } from "../streams/measure.ts"
import { createTopic } from "../streams/topics.ts"
import { inTurns, isAskedFor, type Row, type SuiteOptions } from "../suite.ts"
import { ANSWERS, Input } from "./answers.ts"
import { flinkRate } from "./flink.ts"
import { generator } from "./generator.ts"
import { QUERIES, type QueryName } from "./queries/index.ts"
import type { Job } from "./run.ts"
import { fill, readBack } from "./topics.ts"

const RECORDS = 1_000_000
/** Before the clock starts, as a part of what is measured. */
const WARM_UP = 0.5
const LIMIT_MS = 180_000
const EVENTS = generator()
const FLINK = "Flink 1.13 as published"

export async function run(options: SuiteOptions): Promise<Row[]> {
  const broker = await startBroker(options.broker)
  const client = new KafkaClient({ host: nodeHost, brokers: broker.brokers })
  try {
    const cases = (Object.keys(QUERIES) as QueryName[]).map((query) => ({ query }))
    const rows = await inTurns({
      rounds: options.rounds,
      cases: cases.filter((one) => isAskedFor(options, one)),
      peers: [{ name: "millrace" }],
      titleOf: ({ query }) => query,
      unit: "events per CPU second",
      sample: ({ query }) => sample(client, broker.brokers, query, options.records ?? RECORDS),
    })
    if (options.peers?.includes(FLINK) === false) return rows
    return rows.map((row) => ({ ...row, medians: { ...row.medians, [FLINK]: flinkRate(row.what as QueryName) } }))
  } finally {
    await client.close()
    await broker.stop()
  }
}

let runs = 0

/** Events per CPU second, or undefined where the query did not get through or wrote something else. */
async function sample(
  client: KafkaClient,
  brokers: string,
  query: QueryName,
  records: number,
): Promise<number | undefined> {
  const all = Math.round(records * (1 + WARM_UP))
  const input = await fill(client, EVENTS, all)
  const application = `bench-${query}-${process.pid}-${runs++}`
  const output = `${application}-out`
  const admin = client.admin()
  await createTopic(admin, output)
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-bench-state-"))
  const job: Job = { query, brokers, application, input, output, directory }
  const launch = {
    command: process.execPath,
    args: [...nodeFlags(), path.join(import.meta.dirname, "run.ts"), JSON.stringify(job)],
  }
  try {
    const sampled = await measure(launch, admin, {
      group: application,
      topics: [input],
      records: all,
      warmUp: all - records,
      limitMs: LIMIT_MS,
    })
    const rate = sampled.records / sampled.cpuSeconds
    console.error(
      `${query}: ${Math.round(rate)}/s, ${(rate / flinkRate(query)).toFixed(1)}x Flink's ` +
        `(${sampled.cpuSeconds.toFixed(1)} s, ${Math.round(sampled.residentMb)} MB)`,
    )
    if (!sampled.isComplete) {
      console.error(`  it did not get through within ${LIMIT_MS / 1_000} s: the figure is of what it did`)
      return sampled.cpuSeconds > 0 ? rate : undefined
    }
    const check = ANSWERS[query]()
    await readBack(client, output, check)
    const problem = check.problem(new Input(EVENTS, all))
    if (problem === undefined) return rate
    console.error(`  WRONG: ${problem}`)
    return undefined
  } catch (error) {
    console.error(`${query} failed: ${String(error)}`)
    return undefined
  } finally {
    const internal = (await admin.listTopics()).filter((topic) => topic.startsWith(application))
    await admin.deleteTopics(internal).catch(() => {})
    rmSync(directory, { recursive: true, force: true })
  }
}
