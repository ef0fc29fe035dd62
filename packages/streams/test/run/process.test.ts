/**
 * Processors of one's own on a broker: the wall clock wakes a worker that has no input, and a restart goes on where the
 * committed transactions ended.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { nodeHost } from "@millrace/host/node"
import { RecordReader } from "@millrace/protocol/record/record"
import { json, string } from "@millrace/schema"
import { type EmbeddedBroker, embeddedBroker } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<number>() })

const pipeline = S.pipeline("ticking", () =>
  S.stream(In).pipe(
    S.process(
      "ticks",
      { stores: { sums: S.keyValueStore("sums", { key: string, value: json<number>() }) } },
      (context) => {
        context.schedule(40, "wall-clock", () => {
          for (const { key, value } of context.stores.sums.range()) context.forward({ key, value })
        })
        return {
          process: ({ key, value }) => context.stores.sums.put(key, (context.stores.sums.get(key) ?? 0) + value),
          close: () => void closed++,
        }
      },
    ),
    S.to(Out),
  ),
)

let closed = 0

interface Tick {
  readonly value: number
  readonly timestamp: number
}

/** Reads committed ticks until one is as wanted. */
async function ticksUntil(broker: EmbeddedBroker, from: number, isLast: (tick: Tick) => boolean): Promise<Tick[]> {
  await using consumer = broker.client().consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  consumer.assign([{ topic: "out", partition: 0 }])
  consumer.seek({ topic: "out", partition: 0 }, from)
  const ticks: Tick[] = []
  while (!ticks.some(isLast)) {
    for (const { batches } of await consumer.poll(100)) {
      for (const batch of batches) {
        const reader = new RecordReader(batch)
        while (reader.next()) ticks.push({ value: Out.value.decode(reader.value()!), timestamp: reader.timestamp })
      }
    }
  }
  return ticks
}

test("P3: ticks without input, with times that only grow, across a restart", async () => {
  await using broker = await embeddedBroker()
  const client = broker.client()
  await client.admin().createTopics([
    { name: "in", partitions: 1 },
    { name: "out", partitions: 1 },
  ])
  const producer = client.producer()
  const send = async (value: number) => {
    producer.append("in", 0, 1, string.encode("k"), In.value.encode(value))
    await producer.flush()
  }
  const stateDir = mkdtempSync(`${tmpdir()}/millrace-process-`)
  const options = { host: nodeHost, brokers: broker.brokers, stateDir }
  try {
    await send(2)
    const first = await S.run(pipeline, options)
    const before = await ticksUntil(broker, 0, ({ value }) => value === 2)
    // No more input: what follows is the clock's.
    expect(
      (await ticksUntil(broker, before.length, ({ timestamp }) => timestamp > before.at(-1)!.timestamp)).length,
    ).toBeGreaterThan(0)
    await first.close()
    expect(closed).toBe(1)
    await using second = await S.run(pipeline, options)
    await send(3)
    const all = await ticksUntil(broker, 0, ({ value }) => value === 5)
    expect(second.state()).toBe("running")
    expect(new Set(all.map(({ value }) => value))).toEqual(new Set([2, 5]))
    expect(all.map(({ timestamp }) => timestamp)).toEqual(all.map(({ timestamp }) => timestamp).sort((a, b) => a - b))
  } finally {
    rmSync(stateDir, { recursive: true, force: true })
  }
})
