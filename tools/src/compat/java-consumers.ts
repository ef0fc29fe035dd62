/**
 * Consumers of the classic and of the consumer protocol share a group (KIP-848): it goes over with the first of the latter
 * and back with the last, while both read.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { requireJava, toolsClasspath } from "../kafka-jars.ts"
import type { Check } from "./check.ts"

const TOPIC = "java-both"
const GROUP = "java-both"
const PARTITIONS = 4
const BATCH = 100
const WAIT_MS_MAX = 90_000

export function javaConsumerChecks(brokers: string): Check[] {
  return [
    {
      client: "Kafka tools 4.3.1 (Java)",
      name: "kafka-console-consumers of both protocols share a group, which goes over and back",
      run: () => goOver(brokers),
    },
  ]
}

async function goOver(brokers: string): Promise<string> {
  await requireJava()
  const classpath = await toolsClasspath()
  const client = new KafkaClient({ host: nodeHost, brokers, clientId: "compat" })
  const admin = client.admin()
  const seen = new Seen()
  const consumers: ConsoleConsumer[] = []
  const start = (protocol: string) => {
    const consumer = new ConsoleConsumer(classpath, brokers, protocol, seen)
    consumers.push(consumer)
    return consumer
  }
  const typeOf = async () => (await admin.listGroups()).find(({ groupId }) => groupId === GROUP)?.type
  let produced = 0
  const produceAndRead = async () => {
    const producer = client.producer({ lingerMs: 2 })
    const encoder = new TextEncoder()
    for (let at = 0; at < BATCH; at++) {
      const value = encoder.encode(`record ${produced++}`)
      void producer.send({ topic: TOPIC, partition: at % PARTITIONS, value })
    }
    await producer.flush()
    await producer.close()
    await seen.until(() => seen.size === produced, `${produced} records read`)
  }
  try {
    await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: -1 }])
    const classic = start("classic")
    await produceAndRead()
    const before = await typeOf()
    const consumer = start("consumer")
    for (let shared = false; !shared;) {
      const counts = [classic.count, consumer.count]
      await produceAndRead()
      shared = classic.count > counts[0]! && consumer.count > counts[1]!
    }
    const between = await typeOf()
    const [described] = await admin.describeGroups([GROUP])
    const read = described!.members.map(({ partitions }) => partitions.length)
    if (read.length !== 2 || read.includes(0)) throw new Error(`its members read ${read.join(", ")} partitions`)
    await consumer.stop()
    await produceAndRead()
    const after = await typeOf()
    const types = [before, between, after].join(", ")
    if (types !== "classic, consumer, classic") throw new Error(`the group was ${types}`)
    return `${types}; ${produced} records, each read`
  } catch (error) {
    throw new Error(`${String(error)}\n${consumers.map(String).join("\n")}`, { cause: error })
  } finally {
    await Promise.all(consumers.map((one) => one.stop()))
    await client.close()
  }
}

/** What was read by anybody. */
class Seen {
  readonly #values = new Set<string>()
  #wake = () => {}

  get size(): number {
    return this.#values.size
  }

  add(value: string): void {
    this.#values.add(value)
    this.#wake()
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const deadline = setTimeout(
      () => reject(new Error(`not ${what} in ${WAIT_MS_MAX} ms, but ${this.size}`)),
      WAIT_MS_MAX,
    )
    this.#wake = () => {
      if (holds()) resolve()
    }
    this.#wake()
    await promise.finally(() => clearTimeout(deadline))
  }
}

class ConsoleConsumer {
  readonly #child: ChildProcess
  readonly #said: string[] = []
  count = 0

  constructor(classpath: string, brokers: string, protocol: string, seen: Seen) {
    const settings = [`group.protocol=${protocol}`, "auto.offset.reset=earliest", "auto.commit.interval.ms=200"]
    if (protocol === "classic") settings.push("heartbeat.interval.ms=500")
    this.#child = spawn(
      "java",
      [
        ...["-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=ERROR", "-cp", classpath],
        ...["org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", brokers],
        ...["--topic", TOPIC, "--group", GROUP],
        ...settings.flatMap((setting) => ["--consumer-property", setting]),
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    )
    createInterface({ input: this.#child.stderr! }).on("line", (line) => this.#said.push(line))
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      if (!line.startsWith("record ")) return void this.#said.push(line)
      this.count++
      seen.add(line)
    })
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, "exit")
    this.#child.kill("SIGTERM")
    await exit
  }

  toString(): string {
    return this.#said.slice(-8).join("\n")
  }
}
