/**
 * Suite "partitions": what ten thousand partitions cost, beside Apache Kafka on the same machine: to create, to write a
 * first record to each, to stop in order and start again, to start after a kill, to delete.
 *
 * Both get the same requests from our client, a producer of acks=all and its default batches, so that what differs is
 * the broker's work: directories, files, and what is forced to the device.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { type Admin, KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { NoKafka, startRealKafka } from "@millrace/tools/real-kafka"
import { BrokerProcess } from "@millrace/tools/torture/broker-process"
import { descriptorsOf, residentMbOf } from "./resources.ts"
import { type BrokerName, median, type Row, type SuiteOptions } from "./suite.ts"

const PARTITIONS = 10_000
/** Of one topic: Kafka's controller refuses many more at once. */
const TOPIC_PARTITIONS = 1_000
const HEAP_MB = 1_024
const PROCESS_TIMEOUT_MS = 600_000
/** One request may take long here, and what it asks for longer. */
const REQUEST_TIMEOUT_MS = 300_000

interface Subject {
  readonly brokers: string
  readonly pid: number
  /** In order; the data stays. */
  end(): Promise<void>
  kill(): Promise<void>
  restart(): Promise<unknown>
  remove(): Promise<void>
}

export async function run(options: SuiteOptions): Promise<Row[]> {
  const partitions = options.records ?? PARTITIONS
  const samples = new Map<string, { readonly unit: string; readonly of: Map<string, number[]> }>()
  const peers = (["kafka", "millrace"] as const).filter((name) => options.peers?.includes(name) ?? true)
  for (let round = 0; round < options.rounds; round++) {
    for (const name of round % 2 === 0 ? peers : peers.toReversed()) {
      const subject = await start(name)
      if (subject === undefined) continue
      const add = (what: string, unit: string, value: number) => {
        console.error(`${what}: ${name} ${Math.round(value)} ${unit}`)
        const row = samples.get(what) ?? { unit, of: new Map<string, number[]>() }
        samples.set(what, row)
        row.of.set(name, [...(row.of.get(name) ?? []), value])
      }
      try {
        await measure(subject, partitions, add)
      } finally {
        await subject.remove()
      }
    }
  }
  return [...samples].map(([what, { unit, of }]) => ({
    what: `${partitions} partitions, ${what}`,
    unit,
    moreIsBetter: false,
    medians: Object.fromEntries([...of].map(([who, all]) => [who, median(all)])),
  }))
}

async function start(name: BrokerName): Promise<Subject | undefined> {
  if (name === "millrace") {
    const broker = new BrokerProcess(mkdtempSync(`${tmpdir()}/millrace-bench-partitions-`))
    await broker.start()
    return {
      brokers: broker.address,
      get pid() {
        return broker.pid
      },
      end: () => broker.stop(),
      kill: () => broker.kill(),
      restart: () => broker.start(),
      async remove() {
        await broker.kill()
        rmSync(broker.dataDir, { recursive: true, force: true })
      },
    }
  }
  try {
    const kafka = await startRealKafka({
      heapMb: HEAP_MB,
      readyTimeoutMs: PROCESS_TIMEOUT_MS,
      stopTimeoutMs: PROCESS_TIMEOUT_MS,
      keep: true,
    })
    return {
      brokers: kafka.brokers,
      get pid() {
        return kafka.pid
      },
      end: () => kafka.end(),
      kill: () => kafka.kill(),
      restart: () => kafka.restart(),
      async remove() {
        await kafka.kill()
        await kafka.stop()
        rmSync(kafka.dataDir, { recursive: true, force: true })
      },
    }
  } catch (error) {
    if (!(error instanceof NoKafka)) throw error
    console.error(`Apache Kafka is not measured: ${error.message}`)
    return undefined
  }
}

async function measure(
  subject: Subject,
  partitions: number,
  add: (what: string, unit: string, value: number) => void,
): Promise<void> {
  const topics = Array.from({ length: Math.ceil(partitions / TOPIC_PARTITIONS) }, (_, index) => ({
    name: `many-${index}`,
    partitions: Math.min(TOPIC_PARTITIONS, partitions - index * TOPIC_PARTITIONS),
    replicationFactor: 1,
  }))
  const timed = async (what: string, run: () => Promise<unknown>) => {
    const began = performance.now()
    await run()
    add(what, "ms", performance.now() - began)
  }
  const connected = async (run: (client: KafkaClient, admin: Admin) => Promise<void>) => {
    const client = new KafkaClient({
      host: nodeHost,
      brokers: subject.brokers,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      defaultApiTimeoutMs: REQUEST_TIMEOUT_MS,
    })
    try {
      await run(client, client.admin())
    } finally {
      await client.close()
    }
  }
  const recordIntoEach = async (client: KafkaClient) => {
    const producer = client.producer({ deliveryTimeoutMs: REQUEST_TIMEOUT_MS })
    for (const { name, partitions: count } of topics) {
      for (let partition = 0; partition < count; partition++) {
        const value = Buffer.from(`${name} ${partition}`)
        if (!producer.append(name, partition, Date.now(), null, value)) await producer.waitForSpace()
        // The first record waits for the partitions.
        if (partition === 0) await producer.flush()
      }
    }
    await producer.flush()
    await producer.close()
  }
  await connected(async (client, admin) => {
    await timed("create", async () => {
      for (const topic of topics) await admin.createTopics([topic])
    })
    await timed("first record into each", () => recordIntoEach(client))
    await timed("another record into each", () => recordIntoEach(client))
    add("resident memory", "MB", residentMbOf(subject.pid))
    add("descriptors", "files", descriptorsOf(subject.pid))
  })
  await timed("clean stop", () => subject.end())
  await timed("start after it", () => subject.restart())
  await connected((client) => timed("record into each after it", () => recordIntoEach(client)))
  await subject.kill()
  await timed("start after a kill", () => subject.restart())
  await connected((_, admin) => timed("delete", () => admin.deleteTopics(topics.map(({ name }) => name))))
}
