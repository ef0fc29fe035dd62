/**
 * The timer store against a sorted set: any sets, deletions, firings, commits, aborts and restarts.
 */
import { string } from "@millrace/schema"
import fc from "fast-check"
import { expect, test } from "vitest"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { TimerStore } from "../../src/state/timer-store.ts"
import { packed } from "../../src/serde/packed.ts"

const spec = { name: "t", kind: "timer", key: string, value: packed, changelog: "c" } as const
const newStore = () => new TimerStore<string>(spec, new MemoryEngine(), FLUSH_LIMITS)

const key = fc.constantFrom("a", "b", "c")
const time = fc.nat(40)
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("set" as const), key, time }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), key, time }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("fire" as const), time }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("commit" as const, "abort" as const, "restart" as const) }),
  },
)

test("fires what is set, in order, and nothing else", () => {
  const property = fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
    let store = newStore()
    let committed = new Set<string>()
    let open = new Set<string>()
    const log = new Map<string, readonly [Uint8Array, number]>()
    const name = (one: string, at: number) => `${String(at).padStart(3, "0")}${one}`
    for (const one of actions) {
      if (one.kind === "set") {
        store.set(one.key, one.time)
        open.add(name(one.key, one.time))
      } else if (one.kind === "delete") {
        store.delete(one.key, one.time)
        open.delete(name(one.key, one.time))
      } else if (one.kind === "fire") {
        const fired: string[] = []
        store.fire(one.time, (due, at) => fired.push(name(due, at)))
        const expected = [...open].filter((timer) => Number(timer.slice(0, 3)) <= one.time).sort()
        expect(fired).toEqual(expected)
        for (const timer of expected) open.delete(timer)
      } else if (one.kind === "commit") {
        for (const { key: stored, value, timestamp } of store.stage()) {
          if (value === null) log.delete(stored)
          else log.set(stored, [value.subarray(8), timestamp])
        }
        store.merge()
        committed = new Set(open)
      } else {
        if (one.kind === "abort") store.rollback()
        else {
          store = newStore()
          for (const [stored, [value, at]] of log) store.restore(Buffer.from(stored, "latin1"), value, at)
        }
        open = new Set(committed)
      }
    }
  })
  fc.assert(property, { numRuns: 300 })
})

test("more timers than are held in memory at once fire in order, set before and after a commit", () => {
  const store = newStore()
  const times = Array.from({ length: 40_000 }, (_, at) => (at * 7_919) % 40_009)
  for (const at of times.slice(0, 20_000)) store.set("k", at)
  store.stage()
  store.merge()
  for (const at of times.slice(20_000)) store.set("k", at)
  const fired: number[] = []
  for (let now = 0; now <= 40_009; now += 1_000) store.fire(now, (_, at) => fired.push(at))
  store.fire(50_000, (_, at) => fired.push(at))
  expect(fired).toEqual([...times].sort((left, right) => left - right))
})
