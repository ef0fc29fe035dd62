/**
 * What every state engine does. Run it against each implementation; `open` answers the same engine's content again after
 * `reopen`, where the implementation has something to reopen.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import type { Checkpoint, EngineWrite, StateEngine } from "../../src/state/engine.ts"

export interface EngineUnderTest {
  readonly engine: StateEngine
  /** Closes and opens again; absent when nothing outlives the process. */
  readonly reopen?: () => Promise<StateEngine>
  readonly close: () => Promise<void>
}

const bytes = (...values: number[]) => Uint8Array.from(values)
const checkpoint = (offset: number): Checkpoint => ({ topicId: "topic", offset, writtenAt: 7 })
const put = (key: Uint8Array, value: Uint8Array | null): EngineWrite => ({ key, value })
const plain = (entries: Iterable<readonly [Uint8Array, Uint8Array]>) =>
  [...entries].map(([key, value]) => [[...key], [...value]])

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
      expect(engine.get(bytes(1))).toBeUndefined()
      expect([...engine.range()]).toEqual([])
      expect(engine.checkpoint()).toBeUndefined()
    }))

  test("S10: a batch and its checkpoint are there together", () =>
    using(async ({ engine }) => {
      await engine.write([put(bytes(1), bytes(10)), put(bytes(2), bytes(20))], checkpoint(5))
      expect([...engine.get(bytes(1))!]).toEqual([10])
      expect(engine.checkpoint()).toEqual(checkpoint(5))
    }))

  test("null deletes, and the last write of a key in a batch wins", () =>
    using(async ({ engine }) => {
      await engine.write([put(bytes(1), bytes(10)), put(bytes(2), bytes(20))], checkpoint(1))
      await engine.write([put(bytes(1), null), put(bytes(2), bytes(21)), put(bytes(2), bytes(22))], checkpoint(2))
      expect(plain(engine.range())).toEqual([[[2], [22]]])
    }))

  test("an empty value is a value", () =>
    using(async ({ engine }) => {
      await engine.write([put(bytes(0), bytes())], checkpoint(1))
      expect([...engine.get(bytes(0))!]).toEqual([])
    }))

  test("writes that overlap settle in order", () =>
    using(async ({ engine }) => {
      const first = engine.write([put(bytes(1), bytes(1))], checkpoint(1))
      const second = engine.write([put(bytes(1), bytes(2))], checkpoint(2))
      await Promise.all([first, second])
      expect([...engine.get(bytes(1))!]).toEqual([2])
      expect(engine.checkpoint()).toEqual(checkpoint(2))
    }))

  test("clear forgets the checkpoint too", () =>
    using(async ({ engine }) => {
      await engine.write([put(bytes(1), bytes(1))], checkpoint(1))
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
      await engine.write([put(bytes(1), bytes(1))], checkpoint(3))
      const again = await reopen()
      expect([...again.get(bytes(1))!]).toEqual([1])
      expect(again.checkpoint()).toEqual(checkpoint(3))
    }))

  test("it is a sorted map of bytes", async () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 })
    const write = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 2 })) })
    const property = fc.asyncProperty(
      fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 4 }),
      key,
      key,
      (batches, from, to) =>
        using(async ({ engine }) => {
          const model = new Map<string, [Uint8Array, Uint8Array]>()
          for (const [index, batch] of batches.entries()) {
            await engine.write(batch, checkpoint(index))
            for (const { key, value } of batch) {
              if (value === null) model.delete(Buffer.from(key).toString("hex"))
              else model.set(Buffer.from(key).toString("hex"), [key, value])
            }
          }
          const inRange = [...model.values()]
            .filter(([key]) => Buffer.compare(key, from) >= 0 && Buffer.compare(key, to) < 0)
            .sort(([left], [right]) => Buffer.compare(left, right))
          expect(plain(engine.range(from, to))).toEqual(plain(inRange))
          expect(plain(engine.range(from, to, true))).toEqual(plain(inRange).toReversed())
          expect(plain(engine.range(undefined, undefined, true))).toEqual(plain(engine.range()).toReversed())
        }),
    )
    await fc.assert(property, { numRuns: 40 })
  })
}
