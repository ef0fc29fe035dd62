/**
 * What every state engine does. Run it against each implementation; `open` answers the same engine's content again after
 * `reopen`, where the implementation has something to reopen.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import { byteString } from "../../src/state/byte-order.ts"
import { type Checkpoint, type EngineWrite, KEY_LENGTH_BYTES_MAX, type StateEngine } from "../../src/state/engine.ts"

export interface EngineUnderTest {
  readonly engine: StateEngine
  /** Closes and opens again; absent when nothing outlives the process. */
  readonly reopen?: () => Promise<StateEngine>
  readonly close: () => Promise<void>
}

const bytes = (...values: number[]) => Uint8Array.from(values)
const keyOf = (...values: number[]) => String.fromCharCode(...values)
const checkpoint = (offset: number): Checkpoint => ({ topicId: "topic", offset, writtenAt: 7 })
const put = (key: string, value: Uint8Array | null): EngineWrite => ({ key, value })
const plain = (entries: Iterable<readonly [string, Uint8Array]>) =>
  [...entries].map(([key, value]) => [[...Buffer.from(key, "latin1")], [...value]])

export function stateEngineConformance(open: () => Promise<EngineUnderTest>): void {
  const using = async (body: (under: EngineUnderTest) => Promise<void>) => {
    const under = await open()
    try {
      await body(under)
    } finally {
      await under.close()
    }
  }

  test("an empty engine has nothing", () =>
    using(async ({ engine }) => {
      expect(engine.get(keyOf(1))).toBeUndefined()
      expect([...engine.range()]).toEqual([])
      expect(engine.checkpoint()).toBeUndefined()
    }))

  test("S10: a batch and its checkpoint are there together", () =>
    using(async ({ engine }) => {
      await engine.write([put(keyOf(1), bytes(10)), put(keyOf(2), bytes(20))], checkpoint(5))
      expect([...engine.get(keyOf(1))!]).toEqual([10])
      expect(engine.checkpoint()).toEqual(checkpoint(5))
    }))

  test("null deletes, and the last write of a key in a batch wins", () =>
    using(async ({ engine }) => {
      await engine.write([put(keyOf(1), bytes(10)), put(keyOf(2), bytes(20))], checkpoint(1))
      await engine.write([put(keyOf(1), null), put(keyOf(2), bytes(21)), put(keyOf(2), bytes(22))], checkpoint(2))
      expect(plain(engine.range())).toEqual([[[2], [22]]])
    }))

  test("an empty value is a value", () =>
    using(async ({ engine }) => {
      await engine.write([put(keyOf(0), bytes())], checkpoint(1))
      expect([...engine.get(keyOf(0))!]).toEqual([])
    }))

  test("writes that overlap settle in order", () =>
    using(async ({ engine }) => {
      const first = engine.write([put(keyOf(1), bytes(1))], checkpoint(1))
      const second = engine.write([put(keyOf(1), bytes(2))], checkpoint(2))
      await Promise.all([first, second])
      expect([...engine.get(keyOf(1))!]).toEqual([2])
      expect(engine.checkpoint()).toEqual(checkpoint(2))
    }))

  test("clear forgets the checkpoint too", () =>
    using(async ({ engine }) => {
      await engine.write([put(keyOf(1), bytes(1))], checkpoint(1))
      expect(engine.stats().entries).toBe(1)
      expect(engine.stats().bytes).toBeGreaterThan(1)
      await engine.clear()
      expect([...engine.range()]).toEqual([])
      expect(engine.stats().entries).toBe(0)
      expect(engine.checkpoint()).toBeUndefined()
    }))

  test("what was written is there after reopening", () =>
    using(async ({ engine, reopen }) => {
      if (reopen === undefined) return
      await engine.write([put(keyOf(1), bytes(1))], checkpoint(3))
      const again = await reopen()
      expect([...again.get(keyOf(1))!]).toEqual([1])
      expect(again.checkpoint()).toEqual(checkpoint(3))
    }))

  test("an image stays what it was while the engine goes on", () =>
    using(async ({ engine }) => {
      if (engine.image === undefined) return
      expect(engine.image()).toBeUndefined()
      const rows = Array.from({ length: 200 }, (_, at) => put(keyOf(at), bytes(at, 1)))
      await engine.write(rows, checkpoint(5))
      const image = engine.image()!
      const seen = new Map<number, number[]>()
      let met = 0
      for (const [key, value] of image.entries()) {
        seen.set(key.charCodeAt(0), [...value])
        // Some of these rows were met, some were not.
        if (++met === 20) {
          const changed = rows.filter((_, at) => at % 2 === 0).map(({ key }) => put(key, bytes(9)))
          await engine.write(
            [...changed, put(keyOf(1), null), put(keyOf(199), null), put(keyOf(250), bytes(7))],
            checkpoint(6),
          )
        }
        if (met === 40) await engine.write([put(keyOf(1), bytes(8)), put(keyOf(0), null)], checkpoint(7))
      }
      expect(image.checkpoint).toEqual(checkpoint(5))
      expect([...seen].sort(([left], [right]) => left - right)).toEqual(rows.map((_, at) => [at, [at, 1]]))
      await engine.clear()
      expect(new Set([...image.entries()].map(([key]) => key.charCodeAt(0)))).toEqual(new Set(rows.map((_, at) => at)))
      image.release()
      expect(engine.image()).toBeUndefined()
    }))

  test("it is a sorted map of bytes", async () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 }).map(byteString)
    const write = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 2 })) })
    const property = fc.asyncProperty(
      fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 4 }),
      key,
      key,
      (batches, from, to) =>
        using(async ({ engine }) => {
          const model = new Map<string, Uint8Array>()
          for (const [index, batch] of batches.entries()) {
            await engine.write(batch, checkpoint(index))
            for (const { key, value } of batch) {
              if (value === null) model.delete(key)
              else model.set(key, value)
            }
          }
          const inRange = [...model].filter(([key]) => key >= from && key < to)
          inRange.sort(([left], [right]) => (left < right ? -1 : 1))
          expect(plain(engine.range(from, to))).toEqual(plain(inRange))
          expect(plain(engine.range(from, to, true))).toEqual(plain(inRange).toReversed())
          expect([...engine.keys(from, to)]).toEqual(inRange.map(([key]) => key))
          expect(plain(engine.range(undefined, undefined, true))).toEqual(plain(engine.range()).toReversed())
        }),
    )
    await fc.assert(property, { numRuns: 40 })
  })

  test("keys may have all bytes and be as long as they may be", () =>
    using(async ({ engine }) => {
      const all = keyOf(...Array.from({ length: 256 }, (_, at) => at))
      const long = "\xff".repeat(KEY_LENGTH_BYTES_MAX)
      await engine.write([put(all, bytes(1)), put(long, bytes(2))], checkpoint(1))
      expect([...engine.get(all)!]).toEqual([1])
      expect([...engine.get(long)!]).toEqual([2])
      // Bounds of ranges go another way than keys.
      for (let at = 0; at < 10; at++) expect(plain(engine.range(long.slice(at)))).toEqual(plain([[long, bytes(2)]]))
      expect(plain(engine.range(all, long))).toEqual(plain([[all, bytes(1)]]))
    }))
}
