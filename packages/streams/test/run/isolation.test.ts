/**
 * Records that the cluster refuses, found among those of their transaction, and failures that replace all tasks.
 */
import { nodeHost } from "@millrace/host/node"
import { bytes, json, string } from "@millrace/schema"
import { type EmbeddedBroker, embeddedBroker } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Isolation } from "../../src/run/isolation.ts"

test("E8 F2: halves until one record is left, and lets go once all suspects are committed", () => {
  for (const culprit of [0, 3, 7]) {
    const isolation = new Isolation()
    let at = 0
    let found: number | undefined
    for (let turn = 0; turn < 50 && (at < 8 || turn === 0); turn++) {
      const end = Math.min(8, at + (isolation.limit ?? 8))
      if (found !== culprit && at <= culprit && culprit < end) {
        if (isolation.refused(end - at)) found = at
      } else {
        isolation.committed(end - at)
        at = end
      }
    }
    expect([found, at, isolation.limit]).toEqual([culprit, 8, undefined])
  }
})

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: bytes })

async function prepared(broker: EmbeddedBroker): Promise<void> {
  const client = broker.client()
  await client.admin().createTopics([
    { name: "in", partitions: 1 },
    { name: "out", partitions: 1, configs: { "max.message.bytes": "2000" } },
    { name: "letters", partitions: 1 },
  ])
  const producer = client.producer()
  for (let n = 0; n < 40; n++) producer.append("in", 0, n, string.encode(`k${n}`), In.value.encode(n))
  await producer.flush()
}

async function read(broker: EmbeddedBroker, topic: string, count: number): Promise<string[]> {
  await using consumer = broker.client().consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  consumer.assign([{ topic, partition: 0 }])
  const keys: string[] = []
  const { RecordReader } = await import("@millrace/protocol/record/record")
  while (keys.length < count) {
    for (const { batches } of await consumer.poll(200)) {
      for (const batch of batches) {
        const reader = new RecordReader(batch)
        while (reader.next()) keys.push(String(Buffer.from(reader.key()!)))
      }
    }
  }
  return keys
}

const swelling = (options: S.ToOptions<string, Uint8Array>) =>
  S.pipeline("swelling", () =>
    S.stream(In).pipe(
      S.map((n) => new Uint8Array(n === 13 || n === 14 || n === 39 ? 5_000 : 5).fill(n)),
      S.to(Out, options),
    ),
  )

test("F2 F5: rule 13: a record that the cluster refuses goes to the dead letters, and all others are written once", async () => {
  await using broker = await embeddedBroker()
  await prepared(broker)
  const pipeline = swelling({ onProductionFailure: { deadLetter: "letters" } })
  await using handle = await S.run(pipeline, { host: nodeHost, brokers: broker.brokers })
  const letters = await read(broker, "letters", 3)
  expect(letters).toEqual(["k13", "k14", "k39"])
  const kept = Array.from({ length: 40 }, (_, n) => `k${n}`).filter((key) => !letters.includes(key))
  expect(await read(broker, "out", 37)).toEqual(kept)
  expect(handle.state()).toBe("running")
})

test("F2: without a handler the run ends, and names the record", async () => {
  await using broker = await embeddedBroker()
  await prepared(broker)
  const handle = await S.run(swelling({}), { host: nodeHost, brokers: broker.brokers })
  await expect(handle.done).rejects.toThrow(/record in-0@13: .*MESSAGE_TOO_LARGE|record in-0@13/)
  expect(await read(broker, "out", 13)).toEqual(Array.from({ length: 13 }, (_, n) => `k${n}`))
})

test("E12 F6: a failure may replace the tasks: they go on from what is committed", async () => {
  await using broker = await embeddedBroker()
  await prepared(broker)
  let failuresLeft = 2
  const Counts = S.topic("letters", { key: string, value: json<number>() })
  const pipeline = S.pipeline("replaced", () =>
    S.stream(In).pipe(
      S.tap((n) => {
        if (n === 20 && failuresLeft-- > 0) throw new Error("passes with time")
      }),
      S.keyBy(() => "all"),
      S.count("counts"),
      S.toStream(),
      S.to(Counts),
    ),
  )
  const seen: number[] = []
  await using handle = await S.run(pipeline, {
    host: nodeHost,
    brokers: broker.brokers,
    onUncaught: (failure, count) => {
      expect(String(failure)).toContain('operator "tap-1", record in-0@20: passes with time')
      seen.push(count)
      return "replace"
    },
  })
  expect((await read(broker, "letters", 40)).length).toBe(40)
  expect([seen.length, handle.state()]).toEqual([2, "running"])
})
