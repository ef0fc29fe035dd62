import fc from "fast-check"
import { expect, test } from "vitest"
import { byteString } from "../../src/state/byte-order.ts"
import { BulkLoad } from "../../src/state/bulk-load.ts"
import { CommittedBytes, FLUSH_LIMITS } from "../../src/state/committed.ts"
import type { Headers } from "../../src/dsl/record.ts"
import { rowOf } from "../../src/state/row.ts"
import type { Checkpoint, EngineWrite } from "../../src/state/engine.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"

const checkpoint = (offset: number): Checkpoint => ({ topicId: "t", offset, writtenAt: 0 })
const stored = (value: Uint8Array, timestamp: number, headers: Headers = []) =>
  Buffer.from(rowOf(value, timestamp, headers))

class WatchedEngine extends MemoryEngine {
  readonly batches: string[][] = []
  override write(batch: readonly EngineWrite[], to: Checkpoint): Promise<void> {
    this.batches.push(batch.map(({ key }) => key))
    return super.write(batch, to)
  }
}

test.each([
  ["keys of one length, once each and in order", 2],
  ["keys that begin with one another", 1],
])("S6 S3: an engine gets the last record of each key, however it is cut: %s", async (_, minLength) => {
  const bytes = fc.uint8Array({ minLength, maxLength: minLength === 1 ? 4 : 2, max: 3 })
  const header = fc.record({ key: fc.string({ maxLength: 5 }), value: fc.option(fc.uint8Array({ maxLength: 9 })) })
  const record = fc.record({
    key: bytes,
    value: fc.option(fc.uint8Array({ maxLength: 20 })),
    timestamp: fc.nat(),
    headers: fc.array(header, { maxLength: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 60 }), fc.integer({ min: 1, max: 3_000 }), async (records, max) => {
      const engine = new WatchedEngine()
      const committed = new CommittedBytes(engine, 0, FLUSH_LIMITS)
      const load = new BulkLoad(committed, () => max)
      const model = new Map<string, Buffer>()
      for (const [at, { key, value, timestamp, headers }] of records.entries()) {
        load.add(key, value, timestamp, headers)
        if (value === null) model.delete(byteString(key))
        else model.set(byteString(key), stored(value, timestamp, headers))
        if (load.isFull) await load.flush(checkpoint(at + 1))
      }
      await load.end(checkpoint(records.length))
      const expected = [...model].sort(([left], [right]) => (left < right ? -1 : 1))
      expect([...committed.range()].map(([key, value]) => [key, Buffer.from(value)])).toEqual(expected)
      expect(engine.checkpoint()?.offset).toBe(records.length === 0 ? undefined : records.length)
      if (minLength > 1) for (const batch of engine.batches) expect(batch).toEqual([...new Set(batch)].sort())
    }),
  )
})

test("keys and values may be long, and of one key many records", async () => {
  const engine = new WatchedEngine()
  const committed = new CommittedBytes(engine, 0, FLUSH_LIMITS)
  const load = new BulkLoad(committed, () => 1e9)
  const long = Buffer.alloc(6_000, 7)
  load.add(long, Buffer.alloc(300_000, 8), 1)
  for (let at = 0; at < 70_000; at++) load.add(Buffer.from("hot"), Buffer.from(String(at)), at)
  await load.end(checkpoint(9))
  expect(engine.batches).toEqual([[byteString(long), "hot"]])
  expect(committed.get("hot")).toEqual(stored(Buffer.from("69999"), 69_999))
  expect(committed.get(byteString(long))!.length).toBe(300_008)
})
