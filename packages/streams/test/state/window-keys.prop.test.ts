/**
 * A window store that is asked by `find` and so keeps filters answers as one that keeps none, whatever was put, taken back,
 * written to the engine, restored or left behind before.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import { packed } from "../../src/serde/packed.ts"
import { byteString, bytesOf } from "../../src/state/byte-order.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { KeyFilter, keyHash } from "../../src/state/key-filter.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { timeBytes } from "../../src/state/time-bytes.ts"
import { WindowKeys } from "../../src/state/window-keys.ts"
import { WindowStore } from "../../src/state/window-store.ts"

const spec = {
  name: "n",
  kind: "window",
  key: packed,
  value: packed,
  changelog: "n-log",
  retentionMs: 90,
} as const
const STARTS = 120
const KEYS = ["a", "b", 3, ["a", 1], { of: "b" }]

type Key = (typeof KEYS)[number]

const key = fc.constantFrom(...KEYS)
const start = fc.nat(STARTS)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("put" as const), key, start, value: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("find" as const), key, start }) },
  fc.record({ kind: fc.constant("delete" as const), key, start }),
  fc.record({ kind: fc.constant("restore" as const), key, start, value: fc.nat() }),
  // Each one more window than filters are kept of.
  fc.record({ kind: fc.constant("put to many" as const), key, start }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(40) }),
  fc.record({ kind: fc.constantFrom("commit" as const, "abort" as const, "flush" as const, "reopen" as const) }),
)

test("find and peek answer what they would without filters", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const engines = [new MemoryEngine(), new MemoryEngine()]
      const open = () => engines.map((engine) => new WindowStore<Key, number>(spec, engine, FLUSH_LIMITS))
      let stores = open()
      const ask = (key: Key, start: number) => {
        const [filtered, plain] = stores as [WindowStore<Key, number>, WindowStore<Key, number>]
        expect(filtered.find(key, start).value).toBe(plain.get(key, start).value)
        expect(filtered.peek(key, start).value).toBe(plain.peek(key, start).value)
      }
      const commit = () => {
        for (const store of stores) store.stage()
        for (const store of stores) store.merge()
      }
      const flush = async () => {
        for (const { committed } of stores) {
          committed.flush({ topicId: "t", offset: 1, writtenAt: 1 })
          await committed.settle()
        }
      }
      for (const one of steps) {
        if (one.kind === "find") ask(one.key, one.start)
        else if (one.kind === "put") for (const store of stores) store.put(one.key, one.start, one.value, one.start)
        else if (one.kind === "delete") for (const store of stores) store.put(one.key, one.start, undefined, one.start)
        else if (one.kind === "put to many")
          for (const store of stores) for (let at = 0; at <= 64; at++) store.put(one.key, one.start + at, at, one.start)
        else if (one.kind === "pass") for (const { streamTime } of stores) streamTime.value += one.ms
        else if (one.kind === "commit") commit()
        else if (one.kind === "abort") for (const store of stores) store.rollback()
        else if (one.kind === "flush") await flush()
        else if (one.kind === "restore") {
          commit()
          const bytes = bytesOf(timeBytes(one.start) + byteString(packed.encode(one.key)))
          for (const store of stores) store.restore(bytes, packed.encode(one.value), one.start)
        } else {
          commit()
          await flush()
          stores = open()
        }
      }
      for (let start = 0; start <= STARTS + 64; start++) for (const key of KEYS) ask(key, start)
    }),
    { numRuns: 60 },
  )
})

test("of windows since it began it is known what they lack, of the latest 64 at most, and of none that have expired", () => {
  let expiredTo = Number.NEGATIVE_INFINITY
  const keys = new WindowKeys(10, () => expiredTo)
  const [a, b] = [keyHash("a"), keyHash("b")]
  expect([keys.lacks(10, a), keys.lacks(11, a)]).toEqual([false, true])
  for (let start = 1; start <= STARTS; start++) keys.add(start, a)
  const known = () => Array.from({ length: STARTS }, (_, index) => index + 1).filter((start) => keys.lacks(start, b))
  expect(known()).toEqual(Array.from({ length: 64 }, (_, index) => STARTS - 63 + index))
  expect(known().filter((start) => keys.lacks(start, a))).toEqual([])
  expiredTo = STARTS - 2
  keys.add(STARTS + 1, a)
  expect(known()).toEqual([STARTS - 1, STARTS])
})

test("a filter of any size lacks no key that it was given, and grows to millions", () => {
  for (const expected of [1, 256, 300, 5_000_000]) {
    const filter = new KeyFilter(expected)
    const given = Array.from({ length: 3_000 }, (_, n) => keyHash(`key-${n}`))
    for (const key of given) filter.add(key)
    expect(given.filter((key) => filter.lacks(key))).toEqual([])
    expect(filter.size).toBeGreaterThan(2_700)
    const absent = Array.from({ length: 3_000 }, (_, n) => keyHash(`absent-${n}`))
    expect(absent.filter((key) => filter.lacks(key)).length).toBeGreaterThan(2_500)
  }
})
