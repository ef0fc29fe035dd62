/**
 * The runtime against a real broker in this process.
 */
import type { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { json, string } from "@millrace/schema"
import { embeddedBroker, type EmbeddedBroker } from "@millrace/testing"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"

let broker: EmbeddedBroker
let client: KafkaClient
const scratch = mkdtempSync(path.join(tmpdir(), "millrace-streams-"))
beforeAll(async () => {
  broker = await embeddedBroker({ config: { "group.initial.rebalance.delay.ms": "0" } })
  client = broker.client()
})
afterAll(async () => {
  await broker.close()
  rmSync(scratch, { recursive: true })
})

async function createTopics(topics: Readonly<Record<string, number>>): Promise<void> {
  const admin = client.admin()
  await admin.createTopics(Object.entries(topics).map(([name, partitions]) => ({ name, partitions })))
}

async function produce<K, V>(topic: S.Topic<K, V>, records: ReadonlyArray<readonly [K, V, number]>): Promise<void> {
  await using producer = client.producer()
  for (const [key, value, timestamp] of records) {
    producer.append(topic.name, -1, timestamp, topic.key.encode(key), topic.value.encode(value))
  }
  await producer.flush()
}

/** Committed records of a topic, once there are so many. */
async function consume<K, V>(topic: S.Topic<K, V>, count: number) {
  await using consumer = client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  const [described] = await client.admin().describeTopics([topic.name])
  consumer.assign(described!.partitions.map((_, partition) => ({ topic: topic.name, partition })))
  const found: Array<{ key: K; value: V | null; timestamp: number }> = []
  const until = nodeHost.clock.monotonic() + 20_000
  while (found.length < count && nodeHost.clock.monotonic() < until) {
    for (const fetched of await consumer.poll(100)) {
      fetched.forEach((record) => {
        const value = record.value()
        found.push({
          key: topic.key.decode(record.key()!),
          value: value && topic.value.decode(value),
          timestamp: record.timestamp,
        })
      })
    }
  }
  return found
}

const options = (name: string, more: Partial<Parameters<typeof S.run>[1]> = {}) => ({
  host: nodeHost,
  brokers: broker.brokers,
  stateDir: path.join(scratch, name),
  heartbeatIntervalMs: 100,
  ...more,
})

test("a repartition, a join, a window and an aggregate, exactly once", async () => {
  const Orders = S.topic("orders", { key: string, value: json<{ customer: string; amount: number }>() })
  const Customers = S.topic("customers", { key: string, value: json<{ tier: string }>() })
  const Revenue = S.topic("revenue", { key: string, value: json<{ from: number; total: number }>() })
  const revenue = S.pipeline("revenue-app", () =>
    S.stream(Orders).pipe(
      S.keyBy((order) => order.customer),
      S.joinTable("customer", S.table(Customers), (order, customer) => ({ ...order, tier: customer.tier })),
      S.keyBy((order) => order.tier),
      S.window(S.tumbling("1 minute", { grace: "1 hour" })),
      S.aggregate("revenue-by-tier", { init: () => 0, add: (sum, order) => sum + order.amount }),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: key.key, value: { from: key.start, total: value } })),
      S.to(Revenue),
    ),
  )
  await createTopics({ orders: 2, customers: 3, revenue: 1 })
  await produce(Customers, [
    ["ann", { tier: "gold" }, 0],
    ["bob", { tier: "tin" }, 0],
    ["cid", { tier: "gold" }, 0],
  ])
  const amounts = Array.from({ length: 300 }, (_, at) => at + 1)
  const names = ["ann", "bob", "cid"]
  await using running = await S.run(revenue, options("revenue"))
  await produce(
    Orders,
    amounts.map((amount) => [`o${amount}`, { customer: names[amount % 3]!, amount }, 60_000 * (amount % 2)] as const),
  )
  const found = await consume(Revenue, 300)
  expect(found).toHaveLength(300)
  const last = new Map(found.map(({ key, value }) => [`${key}@${value!.from}`, Math.max(value!.total)]))
  const total = [...last.values()].reduce((sum, one) => sum + one, 0)
  expect(total).toBe(amounts.reduce((sum, one) => sum + one, 0))
  expect(running.state()).toBe("running")
  expect(running.metrics().transactions.committed).toBeGreaterThan(0)
})
