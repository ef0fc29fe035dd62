import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import { packed } from "../../src/serde/packed.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { WindowStore } from "../../src/state/window-store.ts"

test("S1: windows that one transaction begins and leaves behind are kept nowhere, and expiry takes the rest", () => {
  const spec = { name: "n", kind: "window", key: string, value: packed, retentionMs: 20, changelog: "n-log" } as const
  const store = new WindowStore(spec, new MemoryEngine(), FLUSH_LIMITS)
  const live = new Set<string>()
  const commit = (...starts: number[]) => {
    for (const start of starts) {
      store.streamTime.value = Math.max(store.streamTime.value, start)
      store.put("a", start, 1, start)
    }
    for (const { key, value } of store.stage()) {
      if (value === null) live.delete(key)
      else live.add(key)
    }
    store.merge()
  }
  const starts = () => [...store.committed.range()].map(([key]) => key).filter((key) => key.endsWith("a"))
  commit(10, 20, 100, 110)
  commit(500)
  commit(600)
  commit(700)
  // The last window and the stream time's cell.
  expect([starts().length, live.size]).toEqual([1, 2])
})
