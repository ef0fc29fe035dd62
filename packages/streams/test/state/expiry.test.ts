import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import { NO_HEADERS, OWN_CLOCK, StreamRecord, TOMBSTONE } from "../../src/dsl/record.ts"
import { packed } from "../../src/serde/packed.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { ExpiringRows } from "../../src/state/expiry.ts"
import { KeyValueStore } from "../../src/state/key-value-store.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { TimerStore } from "../../src/state/timer-store.ts"

const spec = { key: string, value: packed, changelog: "c" }

test("rows from before a time to live was given go too, and an abort takes nothing of it", () => {
  const rows = new KeyValueStore<string, number>(
    { ...spec, name: "n", kind: "key-value" },
    new MemoryEngine(),
    FLUSH_LIMITS,
  )
  rows.put("a", 1, 10)
  rows.put("b", 2, 150)
  rows.stage()
  rows.merge()
  const timers = new TimerStore<string>({ ...spec, name: "n-ttl", kind: "timer" }, new MemoryEngine(), FLUSH_LIMITS)
  const expiring = new ExpiringRows<string, number>(rows, timers, 100)
  const gone: unknown[] = []
  const observe = (timestamp: number) => {
    const origin = { topic: "t", partition: 0 }
    const record = new StreamRecord("c", 0, timestamp, NO_HEADERS, 0, origin, OWN_CLOCK, TOMBSTONE)
    expiring.observe(record, (key, value, time) => gone.push([key, value, time]))
  }
  for (const end of ["abort", "commit"] as const) {
    gone.length = 0
    observe(200)
    expect(gone).toEqual([["a", 1, 110]])
    expect(rows.get("a").value).toBeUndefined()
    for (const store of [rows, timers]) {
      store.stage()
      if (end === "commit") store.merge()
      else store.rollback()
    }
    expect(rows.get("a").value).toBe(end === "commit" ? undefined : 1)
  }
  observe(250)
  expect(gone).toEqual([
    ["a", 1, 110],
    ["b", 2, 250],
  ])
})
