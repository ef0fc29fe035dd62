/**
 * Suite "client": Millrace's client, kafkajs, @platformatic/kafka and @confluentinc/kafka-javascript read and write the
 * same topics of the same broker, in turns, as records per CPU second of the process.
 */
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { type Admin, KafkaClient, OffsetSpec } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { confluentKafka, installed, type NpmPackage, platformaticKafka } from "@millrace/tools/npm-cache"
import { nodeFlags } from "../launch.ts"
import { startBroker } from "../start-broker.ts"
import { createTopic, partitionsOf } from "../streams/topics.ts"
import { inTurns, isAskedFor, type Row, type SuiteOptions } from "../suite.ts"
import { type Job, messagesOf, type Sample } from "./run.ts"

const execute = promisify(execFile)

/** Before the clock starts, as a part of what is measured. */
const WARM_UP = 0.5
const LIMIT_MS = 180_000
const YIELD_EVERY = 50_000

interface Peer {
  readonly name: string
  readonly file: string
  readonly from?: NpmPackage & { readonly main: string }
}

const PEERS: readonly Peer[] = [
  { name: "millrace", file: "millrace" },
  { name: "kafkajs", file: "kafkajs", from: { name: "kafkajs", version: "2.2.4", main: "index.js" } },
  { name: "@platformatic/kafka", file: "platformatic", from: { ...platformaticKafka, main: "dist/index.js" } },
  { name: "@confluentinc/kafka-javascript", file: "confluent", from: { ...confluentKafka, main: "lib/index.js" } },
]

interface Case {
  readonly action: Job["action"]
  readonly valueBytes: number
  /** By default: a second of CPU time and more for the fastest. */
  readonly records: number
}

const CASES: readonly Case[] = [
  { action: "consume", valueBytes: 100, records: 3_000_000 },
  { action: "consume", valueBytes: 1_000, records: 800_000 },
  { action: "produce", valueBytes: 100, records: 1_200_000 },
  { action: "produce", valueBytes: 1_000, records: 400_000 },
]

const titleOf = ({ action, valueBytes }: Omit<Case, "records">): string => `${action} ${valueBytes} B`

export async function run(options: SuiteOptions): Promise<Row[]> {
  const modules = await modulesOf(PEERS.filter((one) => options.peers?.includes(one.name) ?? true))
  const broker = await startBroker(options.broker)
  const client = new KafkaClient({ host: nodeHost, brokers: broker.brokers })
  try {
    return await inTurns({
      rounds: options.rounds,
      cases: CASES.filter((one) => isAskedFor(options, one)),
      peers: [...modules.keys()],
      titleOf,
      unit: "records per CPU second",
      sample: (one, peer) => {
        const records = options.records ?? one.records
        return sample(client, broker.brokers, peer, modules.get(peer)!, { ...one, records })
      },
    })
  } finally {
    await client.close()
    await broker.stop()
  }
}

/** Peers with the files to load; those that do not install are left out, and that is said. */
async function modulesOf(peers: readonly Peer[]): Promise<Map<Peer, string>> {
  const modules = new Map<Peer, string>()
  for (const peer of peers) {
    try {
      modules.set(peer, peer.from === undefined ? "" : path.join(await installed(peer.from), peer.from.main))
    } catch (error) {
      const { message, cause } = error as Error
      console.error(`${peer.name} is not measured: ${message}: ${String((cause as Error)?.message).slice(-500)}`)
    }
  }
  return modules
}

let runs = 0

async function sample(
  client: KafkaClient,
  brokers: string,
  peer: Peer,
  module: string,
  { action, valueBytes, records }: Case,
): Promise<number | undefined> {
  const warmUp = Math.round(records * WARM_UP)
  const admin = client.admin()
  const group = `bench-client-${process.pid}-${runs++}`
  const topic = action === "consume" ? await fill(client, admin, valueBytes, records + warmUp) : group
  if (action === "produce") await createTopic(admin, topic)
  const job: Job = { peer: peer.file, action, brokers, topic, group, valueBytes, records, warmUp }
  const title = titleOf({ action, valueBytes })
  try {
    const args = [...(peer.from === undefined ? nodeFlags() : []), path.join(import.meta.dirname, "run.ts")]
    const { stdout } = await execute(process.execPath, [...args, JSON.stringify(job)], {
      timeout: LIMIT_MS,
      env: { ...process.env, CLIENT_MODULE: module },
    })
    const { cpuSeconds, bytes } = JSON.parse(stdout.trim().split("\n").at(-1)!) as Sample
    const rate = records / cpuSeconds
    console.error(`${title}: ${peer.name} ${Math.round(rate)}/s (${cpuSeconds.toFixed(2)} s)`)
    const got = action === "consume" ? bytes : (await countOf(admin, topic)) * valueBytes
    const expected = action === "consume" ? records * valueBytes : (records + warmUp) * valueBytes
    if (got === expected) return rate
    console.error(`  WRONG: ${got} bytes of values where ${expected} were to come`)
  } catch (error) {
    console.error(`${title}: ${peer.name} failed: ${String(error).slice(0, 2_000)}`)
  } finally {
    if (action === "produce") await admin.deleteTopics([topic])
  }
  return undefined
}

/** Creates the topic to read and writes its records, if it is not there yet. */
async function fill(client: KafkaClient, admin: Admin, valueBytes: number, records: number): Promise<string> {
  const topic = `read-${valueBytes}-${records}`
  if ((await admin.listTopics()).includes(topic)) return topic
  await createTopic(admin, topic)
  const producer = client.producer()
  const messageAt = messagesOf(valueBytes)
  for (let n = 0; n < records; n++) {
    const { key, value } = messageAt(n)
    if (!producer.append(topic, -1, Date.now(), Buffer.from(key), value)) await producer.waitForSpace()
    // The first record waits for the partitions, and answers are to be read in between.
    if (n % YIELD_EVERY === 0) await producer.flush()
  }
  await producer.flush()
  await producer.close()
  return topic
}

async function countOf(admin: Admin, topic: string): Promise<number> {
  const ends = await admin.listOffsets(partitionsOf(topic).map((one) => ({ ...one, timestamp: OffsetSpec.latest })))
  return ends.reduce((sum, { offset }) => sum + offset, 0)
}
