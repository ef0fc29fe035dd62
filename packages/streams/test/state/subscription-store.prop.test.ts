/**
 * A subscription store against a model: whatever was put, committed, taken back or written to the engine, each foreign key
 * has its subscribers and no others, in the order of their keys.
 */
import { string } from "@millrace/schema"
import fc from "fast-check"
import { expect, test } from "vitest"
import { subscriber, subscriberKey } from "../../src/serde/foreign-keys.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { SubscriptionStore } from "../../src/state/subscription-store.ts"

const spec = {
  name: "s",
  kind: "subscription",
  key: subscriberKey(string, string),
  value: subscriber,
  changelog: "c",
} as const

const FOREIGN_KEYS = ["", "a", "ab", "b", "\0"]
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      foreignKey: fc.constantFrom(...FOREIGN_KEYS),
      key: fc.constantFrom("", "a", "b", "ba", "\u00ff"),
      isOn: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("commit" as const, "abort" as const, "flush" as const) }) },
)

test("J8: subscribers are found by foreign key, those of the open transaction among those before it", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const store = new SubscriptionStore(spec, new MemoryEngine(), { memtableBytesMax: 1, memtableAgeMs: 0 })
    let committed = new Map<string, Map<string, number>>()
    let open = structuredClone(committed)
    let version = 0
    for (const one of steps) {
      if (one.kind === "put") {
        const { foreignKey, key, isOn } = one
        const value = isOn ? { version: version++, partition: version % 3 } : undefined
        store.put(foreignKey, key, value, 1)
        const of = open.get(foreignKey) ?? new Map<string, number>()
        open.set(foreignKey, of)
        if (value === undefined) of.delete(key)
        else of.set(key, value.version)
      } else if (one.kind === "commit") {
        store.stage()
        store.merge()
        committed = structuredClone(open)
      } else if (one.kind === "abort") {
        store.rollback()
        open = structuredClone(committed)
      } else {
        store.committed.flush({ topicId: "t", offset: 0, writtenAt: 0 })
        await store.committed.settle()
      }
      for (const foreignKey of FOREIGN_KEYS) {
        const found = [...store.subscribers(foreignKey)].map(([key, { version }]) => [key, version])
        const expected = [...(open.get(foreignKey) ?? [])].sort(([left], [right]) => (left < right ? -1 : 1))
        expect(found).toEqual(expected)
      }
    }
    store.rollback()
    const all = [...committed].flatMap(([foreignKey, of]) => [...of].map(([key]) => `${foreignKey} ${key}`))
    expect([...store.entries()].map(({ key }) => `${key.foreignKey} ${key.key}`).sort()).toEqual(all.sort())
    expect(store.openEntries).toBe(0)
  })
  await fc.assert(property, { numRuns: 200 })
})
