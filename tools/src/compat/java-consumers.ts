/**
 * Consumers of the classic and of the consumer protocol share a group (KIP-848): it goes over with the first of the latter
 * and back with the last, while both read.
 */
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { requireJava, toolsClasspath } from "../kafka-jars.ts"
import type { Check } from "./check.ts"
import { JavaProcess } from "./java-process.ts"

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

class ConsoleConsumer extends JavaProcess {
  count = 0

  constructor(classpath: string, brokers: string, protocol: string, seen: Seen) {
    const settings = [`group.protocol=${protocol}`, "auto.offset.reset=earliest", "auto.commit.interval.ms=200"]
    if (protocol === "classic") settings.push("heartbeat.interval.ms=500")
    const args = [
      ...["--bootstrap-server", brokers, "--topic", TOPIC, "--group", GROUP],
      ...settings.flatMap((setting) => ["--consumer-property", setting]),
    ]
    super(classpath, "org.apache.kafka.tools.consumer.ConsoleConsumer", args, {
      onLine: (line) => {
        if (!line.startsWith("record ")) return
        this.count++
        seen.add(line)
      },
    })
  }
}
