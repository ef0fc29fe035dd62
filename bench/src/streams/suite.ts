/**
 * Suite "streams": the same topologies in Millrace, Kafka Streams and @kafkats/flow on the same broker, in turns, as
 * records per CPU second of the process. What each wrote is read back and must be right before its figure counts.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { startBroker } from "../start-broker.ts"
import { inTurns, isAskedFor, type Row, type SuiteOptions } from "../suite.ts"
import type { Format } from "./data.ts"
import type { Guarantee, Job } from "./job.ts"
import { measure } from "./measure.ts"
import { kafkaStreams, kafkats, millrace, type Peer } from "./peers.ts"
import { type Workload, type WorkloadName, WORKLOADS } from "./rows.ts"
import { createTopic, fill, outcomeOf, topicOf, totalRows } from "./topics.ts"

const COMMIT_MS = 100
const RECORDS = 1_000_000
/** Before the clock starts, as a part of what is measured. */
const WARM_UP = 0.5
/** @kafkats/flow is given this part of the records, which takes it about as long. */
const KAFKATS_PART = 0.1
const LIMIT_MS = 180_000

export async function run(options: SuiteOptions): Promise<Row[]> {
  const records = options.records ?? RECORDS
  const broker = await startBroker(options.broker)
  const client = new KafkaClient({ host: nodeHost, brokers: broker.brokers })
  try {
    return await inTurns({
      rounds: options.rounds,
      cases: casesOf(options),
      peers: [millrace, kafkaStreams, kafkats].filter(({ name }) => options.peers?.includes(name) ?? true),
      titleOf,
      unit: "records per CPU second",
      sample: async (one, peer) => {
        if (peer.cannot(one) !== undefined) return undefined
        return sample(client, broker.brokers, peer, one, peer === kafkats ? records * KAFKATS_PART : records)
      },
    })
  } finally {
    await client.close()
    await broker.stop()
  }
}

interface Case {
  readonly workload: WorkloadName
  readonly format: Format
  readonly guarantee: Guarantee
}

const titleOf = ({ workload, format, guarantee }: Case): string =>
  `${WORKLOADS[workload].what}, ${format}, ${guarantee}`

function casesOf(options: SuiteOptions): Case[] {
  const all = (["exactly-once", "at-least-once"] as const).flatMap((guarantee) =>
    (["json", "avro"] as const).flatMap((format) =>
      (Object.keys(WORKLOADS) as WorkloadName[]).map((workload) => ({ workload, format, guarantee })),
    ),
  )
  return all.filter((one) => isAskedFor(options, one))
}

let runs = 0

/** Records per CPU second, or undefined where the peer did not get through or wrote something else. */
async function sample(
  client: KafkaClient,
  brokers: string,
  peer: Peer,
  one: Case,
  records: number,
): Promise<number | undefined> {
  const workload: Workload = WORKLOADS[one.workload]
  const all = Math.round(records * (1 + WARM_UP))
  for (const input of workload.inputs) await fill(client, input, one.format, all)
  const topics = Object.fromEntries(workload.inputs.map((input) => [input, topicOf(input, one.format, all)]))
  const application = `bench-${one.workload}-${process.pid}-${runs++}`
  const output = `${application}-out`
  const admin = client.admin()
  await createTopic(admin, output)
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-bench-state-"))
  const job: Job = { ...one, commitMs: COMMIT_MS, brokers, application, topics, output, directory }
  try {
    const total = totalRows(workload.inputs, all)
    const sampled = await measure(await peer.launch(job), admin, {
      group: application,
      topics: Object.values(topics),
      records: total,
      warmUp: total * (WARM_UP / (1 + WARM_UP)),
      limitMs: LIMIT_MS,
    })
    const rate = sampled.records / sampled.cpuSeconds
    console.error(
      `${titleOf(one)}: ${peer.name} ${Math.round(rate)}/s (${sampled.cpuSeconds.toFixed(1)} s, ${Math.round(sampled.residentMb)} MB)`,
    )
    if (!sampled.isComplete) {
      console.error(`  it did not get through within ${LIMIT_MS / 1_000} s: the figure is of what it did`)
      return sampled.cpuSeconds > 0 ? rate : undefined
    }
    const [got, expected] = [await outcomeOf(client, output, workload, one.format), workload.expected(all)]
    if (got.results !== expected.results || got.sum !== expected.sum) {
      console.error(`  WRONG: ${JSON.stringify(got)} where ${JSON.stringify(expected)} was to come`)
      return undefined
    }
    return rate
  } catch (error) {
    console.error(`${titleOf(one)}: ${peer.name} failed: ${String(error)}`)
    return undefined
  } finally {
    const internal = (await admin.listTopics()).filter((name) => name.startsWith(application))
    await admin.deleteTopics(internal).catch(() => {})
    rmSync(directory, { recursive: true, force: true })
  }
}
