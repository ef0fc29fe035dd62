/** What a window store finds by `find` is what it has, whatever was put, taken back, written to the engine or restored before. */
import { string } from "@millrace/schema"
import fc from "fast-check"
import { expect, test } from "vitest"
import { packed } from "../../src/serde/packed.ts"
import { bytesOf } from "../../src/state/byte-order.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { keyHash } from "../../src/state/key-filter.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { timeBytes } from "../../src/state/time-bytes.ts"
import { WindowKeys } from "../../src/state/window-keys.ts"
import { WindowStore } from "../../src/state/window-store.ts"

const spec = { name: "n", kind: "window", key: string, value: packed, changelog: "n-log" } as const
const STARTS = 100

type Rows = ReadonlyMap<string, number>

const key = fc.constantFrom("a", "b", "c")
const start = fc.nat(STARTS)
const step = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key, start, value: fc.nat() }),
  fc.record({ kind: fc.constant("delete" as const), key, start }),
  fc.record({ kind: fc.constant("find" as const), key, start }),
  fc.record({ kind: fc.constantFrom("commit", "abort", "flush", "reopen") }),
  fc.record({ kind: fc.constant("restore" as const), key, start, value: fc.nat() }),
)

test("find answers what was put, by whichever way it came", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const engine = new MemoryEngine()
      let store = new WindowStore<string, number>(spec, engine, FLUSH_LIMITS)
      let committed: Rows = new Map()
      let open = new Map<string, number>()
      const commit = () => {
        store.stage()
        store.merge()
        committed = new Map(open)
      }
      const flush = async () => {
        store.committed.flush({ topicId: "t", offset: 1, writtenAt: 1 })
        await store.committed.settle()
      }
      for (const { kind, ...rest } of steps) {
        const { key, start, value } = rest as { key: string; start: number; value: number }
        if (kind === "put") {
          store.put(key, start, value, start)
          open.set(`${start} ${key}`, value)
        } else if (kind === "delete") {
          store.put(key, start, undefined, start)
          open.delete(`${start} ${key}`)
        } else if (kind === "find") expect(store.find(key, start).value).toBe(open.get(`${start} ${key}`))
        else if (kind === "commit") commit()
        else if (kind === "abort") {
          store.rollback()
          open = new Map(committed)
        } else if (kind === "flush") await flush()
        else if (kind === "reopen") {
          commit()
          await flush()
          store = new WindowStore(spec, engine, FLUSH_LIMITS)
        } else {
          commit()
          store.restore(bytesOf(timeBytes(start) + key), packed.encode(value), start)
          committed = new Map(open.set(`${start} ${key}`, value))
        }
      }
      for (let start = 0; start <= STARTS; start++)
        for (const key of ["a", "b", "c"]) expect(store.find(key, start).value).toBe(open.get(`${start} ${key}`))
    }),
  )
})

test("of the latest windows it is known what they lack; of those that were there before, and of too many, nothing is", () => {
  const keys = new WindowKeys(10)
  const [a, b] = [keyHash("a"), keyHash("b")]
  expect([keys.lacks(10, a), keys.lacks(11, a)]).toEqual([false, true])
  for (let start = 1; start <= STARTS; start++) keys.add(start, a)
  const known = Array.from({ length: STARTS }, (_, index) => index + 1).filter((start) => keys.lacks(start, b))
  expect(known).toEqual(Array.from({ length: 64 }, (_, index) => STARTS - 63 + index))
  expect(known.filter((start) => keys.lacks(start, a))).toEqual([])
})
