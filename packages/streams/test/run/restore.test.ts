import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import { restoreStore } from "../../src/run/restore.ts"
import type { ClusterReader } from "../../src/run/ports.ts"
import { packed } from "../../src/serde/packed.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { KeyValueStore } from "../../src/state/key-value-store.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"

test("a restore that nobody wants any more ends at the next fetch", async () => {
  const spec = { name: "s", kind: "key-value", key: string, value: packed, changelog: "s-log" } as const
  const store = new KeyValueStore(spec, new MemoryEngine(), FLUSH_LIMITS)
  const aborter = new AbortController()
  let fetches = 0
  const cluster = {
    committed: async () => new Map(),
    beginningOffsets: async () => new Map(),
    endOffsets: async () => new Map([["s-log-0", 100]]),
    topicId: async () => "id",
    async read(_partition, _from, end, sink, onPosition) {
      for (let at = 0; at < end; at++) {
        fetches++
        sink({ timestamp: 0, key: () => string.encode(`k${at}`), value: () => packed.encode(at), headers: () => [] })
        if (at === 2) aborter.abort(new Error("gone"))
        await onPosition?.(at + 1)
      }
      return end
    },
  } satisfies ClusterReader
  const options = { deleteRetentionMs: 1e9, now: () => 0, signal: aborter.signal }
  await expect(restoreStore(store, 0, cluster, options)).rejects.toThrow("gone")
  expect(fetches).toBe(3)
})
