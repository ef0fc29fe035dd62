/**
 * Kafka Streams counts words exactly once, in two processes of which one is killed with SIGKILL and comes back: by the
 * classic protocol, and as a streams group (KIP-1071), which Kafka's own tool then describes and resets.
 *
 * Without a cache every input makes an output, so the counts of a word must be 1, 2, 3... with nothing missing or twice.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { compileJava } from "../compile-java.ts"
import { kafkaJars, NoKafka, requireJava } from "../kafka-jars.ts"
import { type Check, Skip } from "./check.ts"
import { JavaProcess } from "./java-process.ts"
import { kafkaTool } from "./java-tools.ts"

const VERSION = "Kafka Streams 4.4.0 (Java)"
const SOURCE = path.resolve(import.meta.dirname, "../../kafka/streams/WordCount.java")
const PARTITIONS = 4
const WORDS = 37
const ROUNDS = 3
const LINES_PER_ROUND = 2_000
const WAIT_MS_MAX = 150_000
/** A killed member is missed after this long: less than a test wants to wait, more than heartbeats take. */
const SESSION_MS = 6_000

type Protocol = "classic" | "streams"

const protocols: Record<Protocol, readonly string[]> = {
  classic: [`session.timeout.ms=${SESSION_MS}`, "heartbeat.interval.ms=1000"],
  streams: ["group.protocol=streams"],
}

/** The settings of the broker's that make it miss a member of a streams group soon. */
export const streamsGroupSettings = [
  `group.streams.session.timeout.ms=${SESSION_MS}`,
  "group.streams.heartbeat.interval.ms=1000",
  "group.streams.initial.rebalance.delay.ms=0",
]

export function javaStreamsChecks(brokers: string): Check[] {
  const check = (name: string, run: () => Promise<string>): Check => ({ client: VERSION, name, run })
  const tool = (group: string, ...args: string[]) =>
    kafkaTool("org.apache.kafka.tools.streams.StreamsGroupCommand", [
      "--bootstrap-server",
      brokers,
      ...args,
      "--group",
      group,
    ])
  const describe = async () => {
    const { stdout } = await tool(groupOf("streams"), "--describe", "--offsets", "--verbose")
    const rows = stdout.split("\n").filter((line) => line.includes(` ${inputOf("streams")} `))
    if (rows.length !== PARTITIONS) throw new Error(`offsets of the group: ${stdout}`)
    const { stdout: members } = await tool(groupOf("streams"), "--describe", "--members", "--verbose")
    if (!/ACTIVE: .*TARGET-ACTIVE: /.test(members)) throw new Error(`members of the group: ${members}`)
  }
  return [
    check("word count by the classic protocol, exactly once, a process killed", () => wordCount(brokers, "classic")),
    check("word count as a streams group, exactly once, a process killed", () =>
      wordCount(brokers, "streams", describe),
    ),
    check("kafka-streams-groups lists, describes and resets", async () => {
      const group = groupOf("streams")
      const { stdout: listed } = await kafkaTool("org.apache.kafka.tools.streams.StreamsGroupCommand", [
        "--bootstrap-server",
        brokers,
        "--list",
      ])
      if (!listed.split("\n").includes(group)) throw new Error(`the list lacks the group: ${listed}`)
      const { stdout: state } = await tool(group, "--describe", "--state")
      if (!state.includes("Empty")) throw new Error(`state: ${JSON.stringify(state)}`)
      const { stdout: reset } = await tool(group, "--reset-offsets", "--all-input-topics", "--to-earliest", "--execute")
      const rows = reset.split("\n").filter((line) => line.includes(inputOf("streams")))
      if (rows.length !== PARTITIONS || rows.some((row) => !/ 0\s*$/.test(row)))
        throw new Error(`reset: ${JSON.stringify(reset)}`)
      return `${rows.length} partitions reset`
    }),
  ]
}

const groupOf = (protocol: Protocol) => `java-wordcount-${protocol}`
const inputOf = (protocol: Protocol) => `java-lines-${protocol}`
const outputOf = (protocol: Protocol) => `java-counts-${protocol}`

/** `whileRunning` is asked once all is counted and before the processes end. */
async function wordCount(
  brokers: string,
  protocol: Protocol,
  whileRunning: () => Promise<void> = async () => {},
): Promise<string> {
  await requireJava()
  const [input, output] = [inputOf(protocol), outputOf(protocol)]
  const classes = await compiled()
  const classpath = [classes, path.join(await kafkaJars("streams"), "*")].join(path.delimiter)
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-java-streams-"))
  const client = new KafkaClient({ host: nodeHost, brokers, clientId: "compat" })
  const instances: Instance[] = []
  const start = async (name: string) => {
    const settings = [...protocols[protocol], "commit.interval.ms=100", "statestore.cache.max.bytes=0"]
    const args = [brokers, groupOf(protocol), input, output, path.join(directory, name), ...settings]
    const instance = new Instance(classpath, args)
    instances.push(instance)
    await instance.running()
    return instance
  }
  try {
    await client
      .admin()
      .createTopics([input, output].map((name) => ({ name, partitions: PARTITIONS, replicationFactor: -1 })))
    const [first] = await Promise.all([start("a"), start("b")])
    const expected = new Map<string, number>()
    const counts = new Counts(client, output)
    for (let round = 0; round < ROUNDS; round++) {
      await write(client, input, round, expected)
      // In the middle of the second round: with transactions open, and records of the third to come.
      if (round === 1) await first.kill()
      if (round === 2) await start("a")
    }
    await counts.until(expected)
    await whileRunning()
    const killed = instances.filter(({ isAlive }) => !isAlive).length
    if (killed !== 1)
      throw new Error(`${killed} processes have ended, and not one\n${instances.map(String).join("\n")}`)
    const total = [...expected.values()].reduce((sum, count) => sum + count, 0)
    return `${total} words, each counted once`
  } catch (error) {
    throw new Error(`${String(error)}\n${instances.map(String).join("\n")}`, { cause: error })
  } finally {
    await Promise.all(instances.map((instance) => instance.stop()))
    await client.close()
    for (const one of [directory, classes]) rmSync(one, { recursive: true, force: true })
  }
}

async function compiled(): Promise<string> {
  try {
    return await compileJava([SOURCE], "streams")
  } catch (error) {
    throw error instanceof NoKafka ? new Skip(error.message) : error
  }
}

async function write(client: KafkaClient, topic: string, round: number, expected: Map<string, number>): Promise<void> {
  const producer = client.producer({ lingerMs: 2 })
  const encoder = new TextEncoder()
  for (let line = 0; line < LINES_PER_ROUND; line++) {
    const number = round * LINES_PER_ROUND + line
    const words = [number % WORDS, (number * 7) % WORDS, (number * number) % WORDS].map((word) => `word${word}`)
    for (const word of words) expected.set(word, (expected.get(word) ?? 0) + 1)
    void producer.send({ topic, partition: number % PARTITIONS, value: encoder.encode(words.join(" ")) })
  }
  await producer.flush()
  await producer.close()
}

/** Reads what is committed, and checks each count against the one before. */
class Counts {
  readonly #consumer: ReturnType<KafkaClient["consumer"]>
  readonly #seen = new Map<string, number>()

  constructor(client: KafkaClient, topic: string) {
    this.#consumer = client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
    const parts = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
    this.#consumer.assign(parts)
    for (const part of parts) this.#consumer.seek(part, 0)
  }

  async until(expected: ReadonlyMap<string, number>): Promise<void> {
    const deadline = Date.now() + WAIT_MS_MAX
    const open = () => [...expected].filter(([word, count]) => (this.#seen.get(word) ?? 0) < count)
    while (open().length > 0) {
      if (Date.now() > deadline) throw new Error(`${open().length} words still have to be counted`)
      await this.#read()
    }
    for (const [word, count] of this.#seen)
      if (count !== expected.get(word))
        throw new Error(`${word} was counted ${count} times instead of ${expected.get(word)}`)
    await this.#consumer.close()
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    for (const part of await this.#consumer.poll(200)) {
      const cursor = part.cursor()
      while (cursor.next()) {
        const word = decoder.decode(cursor.record.key()!)
        const value = cursor.record.value()!
        const count = Number(new DataView(value.buffer, value.byteOffset, value.byteLength).getBigInt64(0))
        const before = this.#seen.get(word) ?? 0
        if (count !== before + 1) throw new Error(`count ${count} of ${word} follows ${before}`)
        this.#seen.set(word, count)
      }
    }
  }
}

/** One process of the application. */
class Instance extends JavaProcess {
  readonly #running: Promise<void>

  constructor(classpath: string, args: readonly string[]) {
    const { promise, resolve } = Promise.withResolvers<void>()
    super(classpath, "WordCount", args, {
      onLine: (line) => {
        if (line === "RUNNING") resolve()
      },
    })
    const early = this.ended().then((code) => {
      throw new Error(`it ended with ${code}`)
    })
    this.#running = Promise.race([promise, early])
    this.#running.catch(() => {})
  }

  running(): Promise<void> {
    return this.#running
  }
}
