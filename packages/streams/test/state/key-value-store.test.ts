/**
 * What a store keeps between transactions is what was committed, whatever callbacks did to the values they were given.
 */
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { KeyValueStore } from "../../src/state/key-value-store.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"

type List = number[]

function open<V>() {
  const spec = { name: "s", kind: "key-value", key: string, value: json<V>(), changelog: "s-changelog" } as const
  return new KeyValueStore<string, V>(spec, new MemoryEngine(), FLUSH_LIMITS)
}

function commit(store: KeyValueStore): void {
  store.stage()
  store.merge()
}

test("an object changed in place in a transaction that aborts is read as it was", () => {
  const store = open<List>()
  store.put("a", [1], 1)
  commit(store)
  for (let attempt = 0; attempt < 3; attempt++) {
    const { value } = store.get("a")
    value!.push(2)
    store.put("a", value, 2)
    expect(store.get("a")).toMatchObject({ value: [1, 2], timestamp: 2 })
    store.stage()
    store.rollback()
  }
  expect(store.get("a")).toMatchObject({ value: [1], timestamp: 1 })
})

test("an object changed in place and not put is read as it was by the next transaction", () => {
  const store = open<List>()
  store.put("a", [1], 1)
  commit(store)
  store.get("a").value!.push(2)
  commit(store)
  expect(store.get("a").value).toEqual([1])
  store.put("a", [3], 3)
  const given = store.get("a").value!
  commit(store)
  given.push(4)
  expect(store.get("a")).toMatchObject({ value: [3], timestamp: 3 })
})

test("numbers and deletions of a transaction that aborts are read as they were", () => {
  const store = open<number>()
  store.put("a", 1, 1)
  store.put("b", 1, 1)
  commit(store)
  expect([store.get("a").value, store.get("b").value, store.get("c").value]).toEqual([1, 1, undefined])
  store.put("a", 2, 2)
  store.put("b", undefined, 2)
  store.put("c", 2, 2)
  store.stage()
  store.rollback()
  expect(store.get("a")).toMatchObject({ value: 1, timestamp: 1 })
  expect(store.get("b")).toMatchObject({ value: 1, timestamp: 1 })
  expect(store.get("c").value).toBeUndefined()
})

test("a key that was deleted, or was never there, is read anew once it has a row", () => {
  const store = open<number>()
  expect(store.get("a").value).toBeUndefined()
  commit(store)
  store.put("a", 1, 1)
  commit(store)
  store.put("a", undefined, 2)
  commit(store)
  expect(store.get("a").value).toBeUndefined()
  store.put("a", 3, 3)
  commit(store)
  expect(store.get("a")).toMatchObject({ value: 3, timestamp: 3 })
})

test("more keys than are kept between transactions are read as they are committed", () => {
  const store = open<List>()
  const keys = Array.from({ length: 30_000 }, (_, n) => `key-${n}`)
  for (let round = 1; round <= 3; round++) {
    for (const key of keys) store.put(key, [...(store.get(key).value ?? []), round], round)
    commit(store)
  }
  expect(keys.every((key) => store.get(key).value!.join() === "1,2,3")).toBe(true)
})

test("rows that are restored take the place of those that were read", () => {
  const store = open<number>()
  store.put("a", 1, 1)
  commit(store)
  expect(store.get("a").value).toBe(1)
  commit(store)
  store.restore(Buffer.from("a"), Buffer.from("2"), 2)
  expect(store.get("a")).toMatchObject({ value: 2, timestamp: 2 })
})
