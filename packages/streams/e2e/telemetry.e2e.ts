/**
 * Metrics that are pushed to a real Apache Kafka, whose plugin reads them with OpenTelemetry's own classes (KIP-714).
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import { compileJava, NoKafka, type RealKafka, startRealKafka } from "../../../tools/src/real-kafka.ts"
import * as S from "../src/index.ts"

const INTERVAL_MS = 1_000
const TIMEOUT_MS = 60_000

const directory = mkdtempSync(path.join(tmpdir(), "millrace-telemetry-"))
const file = path.join(directory, "pushes")
let classes: string | undefined
let kafka: RealKafka | undefined
let missing: string | undefined

beforeAll(async () => {
  try {
    classes = await compileJava([path.join(import.meta.dirname, "TelemetryProbe.java")], "broker")
    const config = { "metric.reporters": "TelemetryProbe", "telemetry.probe.file": file }
    kafka = await startRealKafka({ classes: [classes], config })
  } catch (error) {
    if (!(error instanceof NoKafka)) throw error
    missing = error.message
  }
}, 120_000)

afterAll(async () => {
  await kafka?.stop()
  for (const one of [directory, classes]) if (one !== undefined) rmSync(one, { recursive: true, force: true })
})

interface Pushed {
  readonly client: string
  readonly instance: string
  readonly isLast: boolean
  readonly resource: string
  /** By name; of several the last. */
  readonly metrics: ReadonlyMap<string, { readonly kind: string; readonly value: number; readonly attributes: string }>
}

function pushes(): Pushed[] {
  if (!existsSync(file)) return []
  const found: (Pushed & { readonly metrics: Map<string, { kind: string; value: number; attributes: string }> })[] = []
  for (const line of readFileSync(file, "utf8").trim().split("\n")) {
    const [kind, ...words] = line.split(" ")
    if (kind === "push") {
      const [client, instance, isLast, resource] = words as [string, string, string, string]
      found.push({ client, instance, isLast: isLast === "true", resource, metrics: new Map() })
    } else {
      const [name, of, value, attributes] = words as [string, string, string, string]
      found.at(-1)!.metrics.set(name, { kind: of, value: Number(value), attributes })
    }
  }
  return found
}

async function until<T>(what: string, find: () => T | undefined): Promise<T> {
  const end = nodeHost.clock.monotonic() + TIMEOUT_MS
  for (;;) {
    const found = find()
    if (found !== undefined) return found
    if (nodeHost.clock.monotonic() > end)
      throw new Error(`it did not happen: ${what}; pushed: ${JSON.stringify(pushes())}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const subscribe = (admin: ReturnType<KafkaClient["admin"]>, metrics: string) =>
  admin.incrementalAlterConfigs([
    {
      type: "clientMetrics",
      name: "all",
      changes: [
        { name: "interval.ms", operation: "set", value: String(INTERVAL_MS) },
        { name: "metrics", operation: "set", value: metrics },
      ],
    },
  ])

test("O8: clients and a pipeline push what the cluster wants, and once more at their end", async ({ skip }) => {
  if (kafka === undefined) return skip(missing)
  const { brokers } = kafka
  const Words = S.topic("words", { key: string, value: string })
  const Counts = S.topic("counts", { key: string, value: json<number>() })
  const pipeline = S.pipeline("telemetry-app", () => S.stream(Words).pipe(S.count("words"), S.toStream(), S.to(Counts)))
  await using client = new KafkaClient({ host: nodeHost, brokers, clientId: "plain", clientRack: "r1" })
  const admin = client.admin()
  await admin.createTopics([Words.name, Counts.name].map((name) => ({ name, partitions: 1 })))
  await subscribe(admin, "org.apache.kafka.,millrace.")
  const producer = client.producer()
  for (let at = 0; at < 10; at++) producer.append(Words.name, 0, at + 1, string.encode("k"), string.encode("w"))
  await producer.flush()
  const running = await S.run(pipeline, { host: nodeHost, brokers, stateDir: path.join(directory, "state") })
  const processed = "org.apache.kafka.stream.thread.process.total"
  const pushed = await until("the pipeline's figures come", () =>
    pushes().find(({ metrics }) => metrics.get(processed)?.value === 10),
  )
  expect(pushed.resource).toContain("group_id=telemetry-app,")
  expect(pushed.metrics.get(processed)).toMatchObject({ kind: "AGGREGATION_TEMPORALITY_DELTA" })
  expect(pushed.metrics.get(processed)!.attributes).toMatch(/application_id=telemetry-app,process_id=\S+,thread_id=0,/)
  // The row is in the store once the transaction has committed that processed its records.
  const keys = "org.apache.kafka.stream.state.estimate.num.keys"
  const kept = await until("the row is told of", () => pushes().find(({ metrics }) => metrics.get(keys)?.value === 1))
  expect(kept.metrics.get(keys)).toMatchObject({ kind: "GAUGE" })
  expect(pushed.metrics.get("org.apache.kafka.consumer.coordinator.assigned.partitions")).toMatchObject({ value: 1 })
  expect(pushed.metrics.get("millrace.streams.emitted.total")?.value).toBe(10)
  await running.close()
  const last = await until("the pipeline's last figures come", () =>
    pushes().find(({ instance, isLast }) => instance === pushed.instance && isLast),
  )
  // What was added since the push before: nothing.
  expect(last.metrics.get(processed)?.value).toBe(0)
  const sent = "org.apache.kafka.producer.record.send.total"
  const ofProducer = await until("the plain producer's figures come", () =>
    pushes().find(({ client: id, metrics }) => id === "plain" && metrics.get(sent)?.value === 10),
  )
  expect(ofProducer.metrics.get("org.apache.kafka.producer.node.request.latency.max")?.attributes).toBe(
    "-node_id=node-1,",
  )
  expect(ofProducer.instance).not.toBe(pushed.instance)
  await producer.close()
})

test("O8: a subscription that changes is asked for anew, and only what it names is pushed", async ({ skip }) => {
  if (kafka === undefined) return skip(missing)
  await using client = new KafkaClient({ host: nodeHost, brokers: kafka.brokers, clientId: "changing" })
  const admin = client.admin()
  await subscribe(admin, "org.apache.kafka.consumer.")
  const consumer = client.consumer()
  consumer.assign([{ topic: "words", partition: 0 }])
  await consumer.poll(1_000)
  const of = () => pushes().filter(({ client: id, metrics }) => id === "changing" && metrics.size > 0)
  const before = await until("it pushes", () => of()[0])
  expect([...before.metrics.keys()]).toContain("org.apache.kafka.consumer.fetch.manager.records.consumed.total")
  await subscribe(admin, "org.apache.kafka.consumer.connection.")
  const after = await until("it pushes less", () => of().find(({ metrics }) => metrics.size === 1))
  expect([...after.metrics.keys()]).toEqual(["org.apache.kafka.consumer.connection.creation.total"])
  expect(after.instance).toBe(before.instance)
  await consumer.close()
})
