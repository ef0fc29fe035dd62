/**
 * The topics of suite "streams": filled once, read by everyone; and what a peer wrote, read back.
 */
import { type Admin, type KafkaClient, OffsetSpec, recordsOf } from "@millrace/client"
import { bindSerde, int64, type Serde, string } from "@millrace/schema"
import * as D from "./data.ts"
import type { Input, Outcome, Workload } from "./rows.ts"

export const PARTITIONS = 4
const SILENCE_MS = 3_000
const YIELD_EVERY = 50_000

/** The topic's name by what it holds. */
export const topicOf = (input: Input, format: D.Format, records: number): string => `${input}-${format}-${records}`

const rowsOf = (input: Input, records: number): number => (input === "customers" ? D.CUSTOMERS : records)
export const totalRows = (inputs: readonly Input[], records: number): number =>
  inputs.reduce((sum, input) => sum + rowsOf(input, records), 0)

/** Event times lie in the past: a broker's default retention would delete what was just written. */
const KEEP = { "retention.ms": "-1" }

/** Creates a topic and waits until its partitions answer. */
export async function createTopic(admin: Admin, topic: string): Promise<void> {
  await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 1, configs: KEEP }])
  await admin.listOffsets(partitionsOf(topic).map((one) => ({ ...one, timestamp: OffsetSpec.latest })))
}

export const partitionsOf = (topic: string) =>
  Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))

/** Creates the topic and writes its first n records, if it is not there yet. */
export async function fill(client: KafkaClient, input: Input, format: D.Format, records: number): Promise<void> {
  const topic = topicOf(input, format, records)
  const admin = client.admin()
  if ((await admin.listTopics()).includes(topic)) return
  await createTopic(admin, topic)
  const producer = client.producer()
  const of = D.serdesOf(format)
  const bound = <T>(serde: Serde<T>) => bindSerde(serde, { registry: D.fixedRegistry, topic, isKey: false })
  const [order, customer, payment] = [await bound(of.order), await bound(of.customer), await bound(of.payment)]
  let written = 0
  const write = async (timestamp: number, key: string, value: Uint8Array) => {
    if (!producer.append(topic, -1, timestamp, string.encode(key), value)) await producer.waitForSpace()
    // The first record waits for the partitions, and answers are to be read in between.
    if (written++ % YIELD_EVERY === 0) await producer.flush()
  }
  for (let n = 0; n < rowsOf(input, records); n++) {
    if (input === "customers") {
      const row = D.customerRow(n)
      await write(D.CUSTOMER_MS, row.id, customer.encode(row))
    } else if (input === "payments") {
      const one = D.paymentOf(n)
      await write(D.paymentTime(n), one.order, payment.encode(one))
    } else {
      const one = D.orderOf(n)
      await write(D.orderTime(n), input === "orders" ? one.customer : one.id, order.encode(one))
    }
  }
  await producer.flush()
  await producer.close()
}

/** Reads all that was committed to a topic. */
export async function outcomeOf(
  client: KafkaClient,
  topic: string,
  { isTable, figure }: Workload,
  format: D.Format,
): Promise<Outcome> {
  const consumer = client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  consumer.assign(partitionsOf(topic))
  const serdes = D.serdesOf(format)
  const serde = await bindSerde<any>(figure === "count" ? int64 : isTable ? serdes.stats : serdes.bill, {
    registry: D.fixedRegistry,
    topic,
    isKey: false,
  })
  const latest = new Map<string, number>()
  let results = 0
  let sum = 0
  for (let readAt = performance.now(); performance.now() - readAt < SILENCE_MS;) {
    for (const record of (await consumer.poll(500)).flatMap((fetched) => [...recordsOf(fetched)])) {
      readAt = performance.now()
      const value = serde.decode(record.value!)
      const number: number = figure === "count" ? value : value.total
      results++
      sum += number
      if (isTable) {
        const key = string.decode(record.key!)
        sum -= latest.get(key) ?? 0
        if (latest.has(key)) results--
        latest.set(key, number)
      }
    }
  }
  await consumer.close()
  return { results, sum }
}
