/**
 * Kafka's VerifiableProducer and VerifiableConsumer, which its system tests are made of: what was acknowledged is read by
 * a group of which one member is killed.
 */
import { requireJava, toolsClasspath } from "../kafka-jars.ts"
import type { Check } from "./check.ts"
import { JavaProcess } from "./java-process.ts"
import { until } from "./node-clients.ts"

const RECORDS = 20_000
const PER_SECOND = 2_000
const SESSION_MS = 6_000
const TOOLS = "org.apache.kafka.tools"

/** What both programs print, one of these a line. */
interface Event {
  readonly name: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly acked?: number
  readonly partitions?: readonly {
    readonly partition: number
    readonly minOffset: number
    readonly maxOffset: number
  }[]
}

export function verifiableChecks(brokers: string, client: string): Check[] {
  return ["classic", "consumer"].map((protocol) => ({
    client,
    name: `VerifiableProducer and VerifiableConsumers by the ${protocol} protocol, one of them killed`,
    run: () => produceAndConsume(brokers, protocol),
  }))
}

async function produceAndConsume(brokers: string, protocol: string): Promise<string> {
  await requireJava()
  const classpath = await toolsClasspath()
  const topic = `verifiable-${protocol}`
  const acknowledged = new Set<string>()
  const consumed = new Set<string>()
  let acked = 0
  const consumers: JavaProcess[] = []
  const consume = () => {
    const session = protocol === "classic" ? ["--session-timeout", String(SESSION_MS)] : []
    const args = ["--bootstrap-server", brokers, "--topic", topic, "--group-id", topic, "--group-protocol", protocol]
    const onLine = eventsTo((event) => {
      if (event.name !== "records_consumed") return
      for (const { partition, minOffset, maxOffset } of event.partitions!)
        for (let offset = minOffset; offset <= maxOffset; offset++) consumed.add(`${partition}:${offset}`)
    })
    const program = new JavaProcess(classpath, `${TOOLS}.VerifiableConsumer`, [...args, ...session], { onLine })
    consumers.push(program)
    return program
  }
  const limits = ["--max-messages", String(RECORDS), "--throughput", String(PER_SECOND), "--acks", "-1"]
  const onLine = eventsTo((event) => {
    if (event.name === "producer_send_success") acknowledged.add(`${event.partition}:${event.offset}`)
    if (event.name === "tool_data") acked = event.acked!
  })
  const main = `${TOOLS}.VerifiableProducer`
  const producer = new JavaProcess(classpath, main, ["--bootstrap-server", brokers, "--topic", topic, ...limits], {
    onLine,
  })
  try {
    const first = consume()
    consume()
    const both = () => `records to be read, ${consumed.size} of ${acknowledged.size}\n${consumers.join("\n")}`
    await until(() => consumed.size > RECORDS / 4, both)
    await first.kill()
    consume()
    const code = await producer.ended()
    if (code !== 0 || acked !== RECORDS || acknowledged.size !== RECORDS)
      throw new Error(`the producer ended with ${code}, ${acked} records acknowledged\n${producer}`)
    await until(() => [...acknowledged].every((one) => consumed.has(one)), both)
    if (consumed.size !== RECORDS) throw new Error(`${consumed.size} records were read`)
    return `${RECORDS} acknowledged, each read`
  } finally {
    await Promise.all([producer, ...consumers].map((one) => one.kill()))
  }
}

const eventsTo = (handle: (event: Event) => void) => (line: string) => {
  if (line.startsWith("{")) handle(JSON.parse(line) as Event)
}
