import { afterAll, describe, expect, test } from "vitest"
import { KafkaError, murmur2 } from "../src/index.ts"
import { bytes, fresh, newClient, newTopic, pollUntil, readAll, seen, text } from "./cluster.ts"

const client = newClient()
afterAll(() => client.close())

describe("records survive the way through a broker", () => {
  test.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)("compressed with %s", async (compression) => {
    const topic = await newTopic(client)
    const producer = client.producer({ compression, batchSize: 4096 })
    const values = Array.from({ length: 500 }, (_, index) => `value ${index} ${"x".repeat(index % 50)}`)
    for (const [index, value] of values.entries())
      producer.append(topic, 0, 1000 + index, bytes(`k${index}`), bytes(value))
    await producer.flush()
    await producer.close()
    const records = await readAll(client, topic)
    expect(records.map((record) => record.value)).toEqual(values)
    expect(records.map((record) => record.offset)).toEqual(values.map((_, index) => index))
  })

  test("with nulls, empty values, headers and times", async () => {
    const topic = await newTopic(client)
    const producer = client.producer()
    const now = Date.now()
    const headers = [
      { key: "a", value: bytes("1") },
      { key: "b", value: null },
    ]
    const sent = await Promise.all([
      producer.send({ topic, partition: 0, key: null, value: "no key", timestamp: now }),
      producer.send({ topic, partition: 0, key: "k", value: null, timestamp: now + 5, headers }),
      producer.send({ topic, partition: 0, key: "", value: "", timestamp: now - 5 }),
    ])
    expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2])
    expect(sent.map(({ timestamp }) => timestamp)).toEqual([now, now + 5, now - 5])
    await producer.close()
    const consumer = client.consumer({ autoOffsetReset: "earliest" })
    consumer.assign([{ topic, partition: 0 }])
    const got: unknown[] = []
    for await (const record of consumer) {
      const names = record.headers.map(({ key, value }) => [key, text(value)])
      got.push([text(record.key), text(record.value), record.timestamp, names])
      if (got.length === 3) break
    }
    await consumer.close()
    expect(got).toEqual([
      [null, "no key", now, []],
      [
        "k",
        null,
        now + 5,
        [
          ["a", "1"],
          ["b", null],
        ],
      ],
      ["", "", now - 5, []],
    ])
  })

  test("keys go where murmur2 says, keyless records stick together", async () => {
    const topic = await newTopic(client, 4)
    const producer = client.producer()
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`)
    const sent = await Promise.all(keys.map((key) => producer.send({ topic, key, value: key })))
    expect(sent.map(({ partition }) => partition)).toEqual(keys.map((key) => (murmur2(bytes(key)) & 0x7fffffff) % 4))
    const keyless = await Promise.all(keys.map((value) => producer.send({ topic, value })))
    expect(new Set(keyless.map(({ partition }) => partition)).size).toBe(1)
    await producer.close()
  })

  test("batches far larger than a fetch, in small fetches", async () => {
    const topic = await newTopic(client)
    const producer = client.producer({ batchSize: 512 * 1024 })
    const value = Buffer.alloc(1000, 97)
    for (let index = 0; index < 2000; index++) producer.append(topic, 0, index, null, value)
    await producer.flush()
    await producer.close()
    const records = await readAll(client, topic, "read_committed", { maxPartitionFetchBytes: 1024 })
    expect(records.length).toBe(2000)
    expect(records.at(-1)!.offset).toBe(1999)
  })
})

describe("positions", () => {
  test("seek back, forward and into the middle of a batch; pause and resume", async () => {
    const topic = await newTopic(client, 2)
    const producer = client.producer()
    for (const partition of [0, 1]) {
      for (let index = 0; index < 100; index++)
        producer.append(topic, partition, index, null, bytes(`${partition}:${index}`))
    }
    await producer.flush()
    await producer.close()
    const consumer = client.consumer({ autoOffsetReset: "earliest" })
    const [zero, one] = [
      { topic, partition: 0 },
      { topic, partition: 1 },
    ]
    consumer.assign([zero, one])
    consumer.pause([one])
    const first = await pollUntil(consumer, (records) => records.length >= 100)
    expect(new Set(first.map(({ partition }) => partition))).toEqual(new Set([0]))
    expect(consumer.position(zero)).toBe(100)
    consumer.seek(zero, 42)
    expect(consumer.position(zero)).toBe(42)
    const again = await pollUntil(consumer, (records) => records.length >= 58)
    expect(again.map(({ offset }) => offset)).toEqual(Array.from({ length: 58 }, (_, index) => 42 + index))
    consumer.resume([one])
    const other = await pollUntil(consumer, (records) => records.length >= 100)
    expect(other.every(({ partition }) => partition === 1)).toBe(true)
    consumer.seek(one, 99)
    expect((await pollUntil(consumer, (records) => records.length > 0)).map(({ value }) => value)).toEqual(["1:99"])
    await consumer.close()
  })

  test("an offset out of range follows the reset policy", async () => {
    const topic = await newTopic(client)
    const producer = client.producer()
    for (let index = 0; index < 10; index++) producer.append(topic, 0, index, null, bytes(`${index}`))
    await producer.flush()
    await producer.close()
    const earliest = client.consumer({ autoOffsetReset: "earliest" })
    earliest.assign([{ topic, partition: 0 }])
    earliest.seek({ topic, partition: 0 }, 5000)
    expect((await pollUntil(earliest, (records) => records.length >= 10)).length).toBe(10)
    await earliest.close()
    const none = client.consumer({ autoOffsetReset: "none" })
    none.assign([{ topic, partition: 0 }])
    await expect(none.poll(5000)).rejects.toThrow(/autoOffsetReset is "none"/)
    await none.close()
  })

  test("ends, beginnings and times", async () => {
    const topic = await newTopic(client)
    const producer = client.producer({ lingerMs: 0 })
    for (const timestamp of [1000, 2000, 3000]) {
      await producer.send({ topic, partition: 0, value: "v", timestamp })
    }
    await producer.close()
    const consumer = client.consumer()
    const partition = { topic, partition: 0 }
    expect((await consumer.beginningOffsets([partition]))[0]!.offset).toBe(0)
    expect((await consumer.endOffsets([partition]))[0]!.offset).toBe(3)
    const times = [500, 2000, 2001, 9999].map((timestamp) => ({ ...partition, timestamp }))
    const offsets = await consumer.offsetsForTimes(times)
    expect(offsets.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [0, 1000],
      [1, 2000],
      [2, 3000],
      [-1, -1],
    ])
    await consumer.close()
  })

  test("new data reaches a poll that waits for it", async () => {
    const topic = await newTopic(client)
    const consumer = client.consumer({ autoOffsetReset: "earliest" })
    consumer.assign([{ topic, partition: 0 }])
    expect(await consumer.poll(50)).toEqual([])
    const waiting = consumer.poll(20_000)
    const producer = client.producer({ lingerMs: 0 })
    await producer.send({ topic, partition: 0, value: "hello" })
    expect(seen(await waiting).map(({ value }) => value)).toEqual(["hello"])
    await producer.close()
    await consumer.close()
  })
})

describe("refusals", () => {
  test("a batch too large for the topic fails send and flush, and the producer goes on", async () => {
    const topic = await newTopic(client, 1, { "max.message.bytes": "2000" })
    const producer = client.producer()
    const sent = producer.send({ topic, partition: 0, value: Buffer.alloc(5000) })
    await expect(sent).rejects.toThrow(KafkaErrorNamed("MESSAGE_TOO_LARGE"))
    await expect(producer.flush()).rejects.toThrow(KafkaErrorNamed("MESSAGE_TOO_LARGE"))
    expect((await producer.send({ topic, partition: 0, value: "small" })).offset).toBe(0)
    await producer.flush()
    await producer.close()
  })

  test("a topic that cannot be", async () => {
    const admin = client.admin()
    await expect(admin.createTopics([{ name: "not a topic!" }])).rejects.toThrow(
      KafkaErrorNamed("INVALID_TOPIC_EXCEPTION"),
    )
    const topic = await newTopic(client)
    await expect(admin.createTopics([{ name: topic }])).rejects.toThrow(KafkaErrorNamed("TOPIC_ALREADY_EXISTS"))
    expect(await admin.createTopics([{ name: topic }], { ifNotExists: true })).toEqual([])
    await expect(admin.deleteTopics([fresh("absent")])).rejects.toBeInstanceOf(KafkaError)
    await admin.close()
  })
})

const KafkaErrorNamed = (name: string) => new RegExp(name)
