/**
 * Suite "rolling": three processes of one application under a steady load, exactly-once, are restarted one after the other:
 * how long results take meanwhile, and how long a partition is silent. State is small, so that what is seen is the group's
 * doing and not a restore's.
 *
 * Millrace by both protocols and Kafka Streams, with the defaults and names that outlive a restart (group.instance.id), take
 * turns on the same broker. A process is started again once it has ended, and the next one ended once all tasks run again.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { createTopic, faultOf, Feed } from "../restore/data.ts"
import type { Job } from "../restore/job.ts"
import { Instance } from "../restore/process.ts"
import { type Launch, nodeLaunch } from "../launch.ts"
import { startBroker } from "../start-broker.ts"
import { javaLaunch } from "../streams/peers.ts"
import { median, type Row, type SuiteOptions } from "../suite.ts"
import { type Latency, LatencyWatch } from "./latency.ts"

const PROCESSES = 3
const KEYS = 1_000
const CALM_MS = 10_000
/** Between two restarts: what a group still has to do for the last one belongs to it. */
const SETTLE_MS = 5_000
/** From the first start on. */
const LIMIT_MS = 600_000

const ours = (job: Job): Launch => nodeLaunch(path.join(import.meta.dirname, "../restore/millrace.ts"), job)

const PEERS: Readonly<Record<string, (job: Job) => Promise<Launch>>> = {
  millrace: async (job) => ours(job),
  "millrace, streams group": async (job) => ours({ ...job, groupProtocol: "streams" }),
  "Kafka Streams": (job) => javaLaunch("millrace.Sums", job),
}

interface Round {
  readonly calm: Latency
  readonly rolling: Latency
}

const MEASURES: readonly (readonly [what: string, of: (round: Round) => number])[] = [
  ["in calm: half of the results take", ({ calm }) => calm.medianMs],
  ["in calm: 99 % take", ({ calm }) => calm.p99Ms],
  ["rolling restart: half of the results take", ({ rolling }) => rolling.medianMs],
  ["rolling restart: 99 % take", ({ rolling }) => rolling.p99Ms],
  ["rolling restart: the slowest takes", ({ rolling }) => rolling.maxMs],
  ["rolling restart: longest silence of the partition with the shortest", ({ rolling }) => rolling.silencesMs[0]!],
  ["rolling restart: longest silence of a partition", ({ rolling }) => rolling.silencesMs.at(-1)!],
]

export async function run(options: SuiteOptions): Promise<Row[]> {
  const broker = await startBroker(options.broker)
  const client = new KafkaClient({ host: nodeHost, brokers: broker.brokers })
  const peers = Object.keys(PEERS).filter((name) => options.peers?.includes(name) ?? true)
  const rounds: Record<string, Round[]> = Object.fromEntries(peers.map((name) => [name, []]))
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const name of peers) {
        try {
          rounds[name]!.push(await measure(client, broker.brokers, name, round))
        } catch (error) {
          console.error(`${name} failed: ${String(error)}`)
        }
      }
    }
  } finally {
    await client.close()
    await broker.stop()
  }
  return MEASURES.map(([what, of]) => ({
    what,
    unit: "ms",
    moreIsBetter: false,
    medians: Object.fromEntries(
      Object.entries(rounds).flatMap(([name, all]) => (all.length === 0 ? [] : [[name, median(all.map(of))]])),
    ),
  }))
}

async function measure(client: KafkaClient, brokers: string, name: string, round: number): Promise<Round> {
  const application = `rolling-${name.toLowerCase().replaceAll(/\W+/g, "-")}-${round}`
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-bench-rolling-"))
  const job: Job = { brokers, application, input: `${application}-in`, output: `${application}-out`, directory }
  await createTopic(client, job.input, "delete")
  await createTopic(client, job.output, "delete")
  const feed = new Feed(client, job.input, KEYS)
  const watch = new LatencyWatch(client, job.output)
  const start = async (index: number) => {
    const instance = `${application}-${index}`
    const launch = await PEERS[name]!({ ...job, instance, directory: path.join(directory, instance) })
    return new Instance(launch)
  }
  let instances: Instance[] = []
  try {
    instances = await Promise.all(Array.from({ length: PROCESSES }, (_, index) => start(index)))
    await Promise.all(instances.map((instance) => instance.runs()))
    feed.on()
    watch.start()
    await sleep(SETTLE_MS)
    watch.reset()
    await sleep(CALM_MS)
    const calm = watch.seen
    watch.reset()
    for (let index = 0; index < PROCESSES; index++) {
      await instances[index]!.stop()
      instances[index] = await start(index)
      await instances[index]!.runs()
      await sleep(SETTLE_MS)
    }
    const rolling = watch.seen
    feed.off()
    await instances[0]!.hasCommitted(client.admin(), application, feed.fed, LIMIT_MS)
    const fault = await faultOf(client, job.output, KEYS, feed.fed, () => 0)
    if (fault !== undefined) throw new Error(`WRONG: ${fault}`)
    console.error(
      `${name}: in calm 99 % take ${calm.p99Ms} ms; rolling 99 % ${rolling.p99Ms} ms, at most ${rolling.maxMs} ms; ` +
        `longest silences by partition ${rolling.silencesMs.join(", ")} ms`,
    )
    return { calm, rolling }
  } finally {
    feed.off()
    await watch.stop()
    await feed.close()
    await Promise.all(instances.map((instance) => instance.stop()))
    rmSync(directory, { recursive: true, force: true })
  }
}
