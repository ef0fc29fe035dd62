/**
 * kafkajs 2.2: the most used client for Node. It speaks only the non-flexible versions.
 */
import { createRequire } from "node:module"
import type { Check } from "./check.ts"

/** The little of kafkajs that is used here; its own types do not load under nodenext. */
interface KafkaJs {
  Kafka: new (options: object) => {
    admin(): { connect(): Promise<void>; disconnect(): Promise<void>; createTopics(options: object): Promise<boolean> }
    producer(options?: object): Producer
    consumer(options: object): Consumer
  }
  logLevel: { NOTHING: number }
}
interface Producer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(batch: object): Promise<unknown>
  transaction(): Promise<{
    send(batch: object): Promise<unknown>
    sendOffsets(offsets: object): Promise<void>
    commit(): Promise<void>
    abort(): Promise<void>
  }>
}
interface Consumer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  subscribe(options: object): Promise<void>
  run(options: object): Promise<void>
  on(event: string, listener: (event: { payload: { memberAssignment: Record<string, number[]> } }) => void): void
}

const WAIT_MS_MAX = 60_000

export function kafkajsChecks(brokers: string): Check[] {
  const { Kafka, logLevel } = createRequire(import.meta.url)("kafkajs") as KafkaJs
  const kafka = new Kafka({ clientId: "compat", brokers: [brokers], logLevel: logLevel.NOTHING })
  const client = "kafkajs 2.2.4"
  return [
    {
      client,
      name: "produces, gzip, and consumes in a group",
      run: async () => {
        await createTopic("kafkajs-plain", 3)
        const sent = await produce("kafkajs-plain", 3_000)
        const got = await consume("kafkajs-plain", "kafkajs-plain-group", (values) => values.length >= sent.length)
        same(sent, got)
        return `${got.length} records`
      },
    },
    {
      client,
      name: "rebalances a group of two, and of one again",
      run: async () => {
        await createTopic("kafkajs-rebalance", 4)
        const [first, second] = [
          member("kafkajs-rebalance", "kafkajs-rebalance-group"),
          member("kafkajs-rebalance", "kafkajs-rebalance-group"),
        ]
        await first.start()
        await until(() => first.owned.length === 4, "the first member to own all four partitions")
        await second.start()
        await until(() => first.owned.length === 2 && second.owned.length === 2, "two partitions each")
        const shared = first.owned.filter((partition) => second.owned.includes(partition))
        if (shared.length > 0) throw new Error(`both own ${shared.join(", ")}`)
        await second.consumer.disconnect()
        await until(() => first.owned.length === 4, "the first member to own all four partitions again")
        await first.consumer.disconnect()
        return "4, then 2 and 2, then 4"
      },
    },
    {
      client,
      name: "commits and aborts transactions with offsets",
      run: async () => {
        await createTopic("kafkajs-transaction", 1)
        const producer = kafka.producer({ transactionalId: "kafkajs-compat", maxInFlightRequests: 1, idempotent: true })
        await producer.connect()
        for (const [round, outcome] of (["commit", "abort", "commit"] as const).entries()) {
          const transaction = await producer.transaction()
          await transaction.send({ topic: "kafkajs-transaction", messages: [{ value: `${outcome} ${round}` }] })
          await transaction.sendOffsets({
            consumerGroupId: "kafkajs-transaction-group",
            topics: [{ topic: "kafkajs-plain", partitions: [{ partition: 0, offset: String(round + 1) }] }],
          })
          await transaction[outcome]()
        }
        await producer.disconnect()
        const got = await consume("kafkajs-transaction", "kafkajs-transaction-reader", (values) => values.length >= 2)
        same(["commit 0", "commit 2"], got)
        return "two committed seen, the aborted one not"
      },
    },
  ]

  async function createTopic(topic: string, numPartitions: number): Promise<void> {
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
    await admin.disconnect()
  }

  async function produce(topic: string, count: number): Promise<string[]> {
    const producer = kafka.producer()
    await producer.connect()
    const values = Array.from({ length: count }, (_, index) => `value ${index}`)
    await producer.send({ topic, compression: 1, messages: values.map((value) => ({ key: value, value })) })
    await producer.disconnect()
    return values
  }

  async function consume(topic: string, groupId: string, enough: (values: string[]) => boolean): Promise<string[]> {
    const consumer = kafka.consumer({ groupId })
    const values: string[] = []
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }: { message: { value: Buffer } }) => void values.push(message.value.toString()),
    })
    await until(() => enough(values), `records of ${topic}`)
    await consumer.disconnect()
    return values
  }

  function member(topic: string, groupId: string) {
    const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, rebalanceTimeout: 15_000 })
    const state = { owned: [] as number[] }
    consumer.on("consumer.group_join", ({ payload }) => void (state.owned = payload.memberAssignment[topic] ?? []))
    return {
      consumer,
      get owned() {
        return state.owned
      },
      start: async () => {
        await consumer.connect()
        await consumer.subscribe({ topics: [topic] })
        await consumer.run({ eachMessage: async () => {} })
      },
    }
  }
}

function same(expected: readonly string[], got: readonly string[]): void {
  const [left, right] = [expected.toSorted(), got.toSorted()]
  if (left.length !== right.length || left.some((value, index) => value !== right[index])) {
    throw new Error(`expected ${left.length} records, got ${right.length}: ${right.slice(0, 5).join(", ")}`)
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${WAIT_MS_MAX / 1000} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
