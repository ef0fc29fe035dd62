/**
 * A distributed worker of Kafka Connect on our broker: lines of a file go through a topic into another file, and the
 * worker, killed in between, goes on where it was.
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient, OffsetSpec, recordsOf } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { kafkaJars, requireJava } from "../kafka-jars.ts"
import { freePorts } from "../real-kafka.ts"
import type { Check } from "./check.ts"
import { JavaProcess } from "./java-process.ts"
import { until } from "./node-clients.ts"

const LINES = 1_000
const TOPIC = "java-connect-lines"

export const connectChecks = (brokers: string): Check[] => [
  {
    client: "Kafka Connect 4.3.1 (Java)",
    name: "a distributed worker copies a file through a topic exactly once, and goes on after it was killed",
    run: () => copyFile(brokers),
  },
]

async function copyFile(brokers: string): Promise<string> {
  await requireJava()
  const classpath = path.join(await kafkaJars("connect"), "*")
  const client = new KafkaClient({ host: nodeHost, brokers, clientId: "compat" })
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-java-connect-"))
  const [port] = await freePorts(1)
  const rest = `http://127.0.0.1:${port}`
  const file = (name: string) => path.join(directory, name)
  const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `line ${from + at}`)
  const text = (from: number, to: number) => `${lines(from, to).join("\n")}\n`
  writeFileSync(file("worker.properties"), workerProperties(brokers, rest))
  writeFileSync(file("in.txt"), text(0, LINES))
  const start = () =>
    new JavaProcess(classpath, "org.apache.kafka.connect.cli.ConnectDistributed", [file("worker.properties")])
  let worker = start()
  const missing = (count: number) => {
    const out = new Set(existsSync(file("out.txt")) ? readFileSync(file("out.txt"), "utf8").split("\n") : [])
    return lines(0, count).filter((line) => !out.has(line)).length
  }
  const allCopied = (count: number) =>
    until(
      () => missing(count) === 0,
      () => `${count} lines, of which ${missing(count)} are missing\n${worker}`,
    )
  const running = async (connector: string) => {
    const status = await fetch(`${rest}/connectors/${connector}/status`).catch(() => undefined)
    if (status?.status !== 200) return false
    const { tasks } = (await status.json()) as { tasks: { state: string }[] }
    return tasks.length === 1 && tasks[0]!.state === "RUNNING"
  }
  const create = async (name: string, config: Record<string, string>) => {
    const put = () =>
      fetch(`${rest}/connectors/${name}/config`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ "tasks.max": "1", ...config }),
      }).catch(() => undefined)
    // It answers only once it has read its topics.
    await until(
      async () => [200, 201].includes((await put())?.status ?? 0),
      () => `the worker to take ${name}\n${worker}`,
    )
  }
  try {
    await client.admin().createTopics([{ name: TOPIC, partitions: 1, replicationFactor: -1 }])
    const connector = "org.apache.kafka.connect.file.FileStream"
    await create("lines-in", {
      "connector.class": `${connector}SourceConnector`,
      file: file("in.txt"),
      topic: TOPIC,
    })
    await create("lines-out", {
      "connector.class": `${connector}SinkConnector`,
      file: file("out.txt"),
      topics: TOPIC,
    })
    await allCopied(LINES)
    await worker.kill()
    appendFileSync(file("in.txt"), text(LINES, 2 * LINES))
    worker = start()
    await until(
      () => running("lines-in"),
      () => `the source to run again\n${worker}`,
    )
    await allCopied(2 * LINES)
    const produced = await committedOf(client)
    const expected = lines(0, 2 * LINES)
    if (produced.toSorted().join() !== expected.toSorted().join())
      throw new Error(`${produced.length} records in the topic for ${expected.length} lines`)
    return `${expected.length} lines, each once in the topic and none lost in the file`
  } finally {
    await worker.kill()
    await client.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What readers of committed records find. */
async function committedOf(client: KafkaClient): Promise<string[]> {
  const place = { topic: TOPIC, partition: 0 }
  const consumer = client.consumer({ isolation: "read_committed" })
  const [end] = await client.admin().listOffsets([{ ...place, timestamp: OffsetSpec.latest }])
  const values: string[] = []
  consumer.assign([place])
  consumer.seek(place, 0)
  while (consumer.position(place)! < end!.offset)
    for (const part of await consumer.poll(200))
      for (const record of recordsOf(part)) values.push(new TextDecoder().decode(record.value!))
  await consumer.close()
  return values
}

const workerProperties = (brokers: string, rest: string) =>
  [
    `bootstrap.servers=${brokers}`,
    `listeners=${rest}`,
    "group.id=java-connect",
    "session.timeout.ms=6000",
    "heartbeat.interval.ms=1000",
    // A killed worker's tasks wait this long for its return.
    "scheduled.rebalance.max.delay.ms=1000",
    ...["config", "offset", "status"].flatMap((what) => [
      `${what}.storage.topic=java-connect-${what}`,
      `${what}.storage.replication.factor=1`,
    ]),
    "exactly.once.source.support=enabled",
    "offset.flush.interval.ms=1000",
    "key.converter=org.apache.kafka.connect.storage.StringConverter",
    "value.converter=org.apache.kafka.connect.storage.StringConverter",
    "consumer.auto.offset.reset=earliest",
  ].join("\n")
