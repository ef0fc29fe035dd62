import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import { bytesOf } from "../../src/state/byte-order.ts"
import { NO_TIME } from "../../src/state/cell.ts"
import { isCellKey } from "../../src/state/store.ts"
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

test("the latest window is known after a start on committed rows, a put, a restored record", async () => {
  const spec = {
    name: "n",
    kind: "window",
    key: string,
    value: packed,
    retentionMs: 1_000,
    changelog: "n-log",
  } as const
  const engine = new MemoryEngine()
  const first = new WindowStore(spec, engine, FLUSH_LIMITS)
  first.streamTime.value = 40
  first.put("a", 40, 1, 40)
  for (const { key, value, timestamp } of first.stage()) {
    const second = new WindowStore(spec, new MemoryEngine(), FLUSH_LIMITS)
    second.restore(bytesOf(key), value && value.subarray(8), timestamp)
    expect(second.latest).toBe(isCellKey(key) ? NO_TIME : 40)
  }
  first.merge()
  first.committed.flush({ topicId: "t", offset: 1, writtenAt: 1 })
  await first.committed.settle()
  const second = new WindowStore(spec, engine, FLUSH_LIMITS)
  second.put("a", 20, 1, 20)
  expect(second.latest).toBe(40)
  second.put("a", 60, 1, 60)
  expect(second.latest).toBe(60)
  second.restore(bytesOf("\0\0\0\0\0\0\0\x50b"), Uint8Array.of(1), 80)
  expect(second.latest).toBe(80)
})
