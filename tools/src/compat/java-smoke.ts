/**
 * The smoke test of Kafka Streams: its driver writes for a minute and a half, its application computes aggregates, windows
 * and joins exactly once in two processes, of which one and then the other is killed time and again; the driver then
 * reads what came out and compares.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { kafkaJars, requireJava } from "../kafka-jars.ts"
import type { Check } from "./check.ts"
import { JavaProcess } from "./java-process.ts"

const MAIN = "org.apache.kafka.streams.tests.StreamsSmokeTest"
const PARTITIONS = 5
/** Each needs some seconds to start, and more until it has its share again. */
const BETWEEN_KILLS_MS = 9_000
const SESSION_MS = 6_000
const HEAP_MB = 512
const TOPICS = [
  ...[
    "data",
    "echo",
    "max",
    "min",
    "min-suppressed",
    "min-raw",
    "dif",
    "sum",
    "sws-raw",
    "sws-suppressed",
    "cnt",
    "avg",
  ],
  ...["tagg", "fk"],
]

export const smokeChecks = (brokers: string): Check[] => [
  {
    client: "Kafka Streams 4.3.1 (Java)",
    name: "StreamsSmokeTest with exactly_once_v2, two processes killed in turn",
    run: () => smoke(brokers),
  },
]

async function smoke(brokers: string): Promise<string> {
  await requireJava()
  const classpath = path.join(await kafkaJars("smoke"), "*")
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-smoke-"))
  const client = new KafkaClient({ host: nodeHost, brokers, clientId: "compat" })
  const settings = (name: string) => {
    const file = path.join(directory, `${name}.properties`)
    mkdirSync(path.join(directory, name))
    writeFileSync(
      file,
      [
        `bootstrap.servers=${brokers}`,
        "processing.guarantee=exactly_once_v2",
        `state.dir=${path.join(directory, name)}`,
        `session.timeout.ms=${SESSION_MS}`,
        "heartbeat.interval.ms=1000",
      ].join("\n"),
    )
    return file
  }
  const start = (file: string) => new JavaProcess(classpath, MAIN, [file, "process"], { heapMb: HEAP_MB })
  const files = ["a", "b"].map(settings)
  const said: string[] = []
  let processes: JavaProcess[] = []
  let driver: JavaProcess | undefined
  let kills = 0
  try {
    await client.admin().createTopics(TOPICS.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: -1 })))
    processes = files.map(start)
    let isWriting = true
    driver = new JavaProcess(classpath, MAIN, [files[0]!, "run"], {
      heapMb: HEAP_MB,
      onLine: (line) => {
        if (line.includes("records produced")) return
        said.push(line)
        if (/at position/.test(line)) isWriting = false
      },
    })
    while (isWriting && driver.isAlive) {
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_KILLS_MS))
      if (!isWriting) break
      const at = kills++ % files.length
      if (!processes[at]!.isAlive) throw new Error(`a process ended by itself:\n${processes[at]}`)
      await processes[at]!.kill()
      processes[at] = start(files[at]!)
    }
    const code = await driver.ended()
    if (code !== 0 || !said.includes("SUCCESS") || !said.some((line) => line.includes("ALL-RECORDS-DELIVERED")))
      throw new Error(`the driver ended with ${code}: ${said.slice(-30).join("\n")}`)
    const ended = processes.find((one) => !one.isAlive)
    if (ended !== undefined) throw new Error(`a process ended by itself:\n${ended}`)
    return `its driver finds all records, none of them twice; ${kills} times a process was killed`
  } finally {
    await Promise.all([...processes, ...(driver === undefined ? [] : [driver])].map((one) => one.kill()))
    await client.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
