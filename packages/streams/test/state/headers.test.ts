/** Stores that keep headers (S3), on every engine: what a transaction reads, and rows of before. */
import { json, string } from "@millrace/schema"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { Headers } from "../../src/dsl/record.ts"
import type { StateEngines } from "../../src/state/engine.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { KeyValueStore } from "../../src/state/key-value-store.ts"
import { LmdbEngines } from "../../src/state/lmdb-engine.ts"
import { MemoryEngines } from "../../src/state/memory-engine.ts"
import { changelogValue } from "../../src/state/store.ts"
import { WindowStore } from "../../src/state/window-store.ts"

const of = (...values: string[]): Headers => values.map((value) => ({ key: "h", value: Buffer.from(value) }))
const told = (headers: Headers | undefined) => headers?.map(({ value }) => Buffer.from(value!).toString())

describe.each<readonly [string, (directory: string) => StateEngines]>([
  ["memory", () => new MemoryEngines()],
  ["lmdb", (directory) => new LmdbEngines(path.join(directory, "state.lmdb"))],
])("%s", (_, open) => {
  let directory: string
  let engines: StateEngines
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "millrace-headers-"))
    engines = open(directory)
  })
  afterEach(async () => {
    await engines.close()
    rmSync(directory, { recursive: true })
  })

  const spec = { name: "s", key: string, changelog: "s-changelog" } as const
  const rows = <V>(headers: boolean, value = json<V>()) =>
    new KeyValueStore<string, V>({ ...spec, kind: "key-value", value, headers }, engines.open("s", 0), FLUSH_LIMITS)

  /** Down to the engine, so that what is read next comes from there. */
  async function commit(store: KeyValueStore | WindowStore) {
    const staged = store.stage()
    store.merge()
    store.committed.flush({ topicId: "t", offset: 1, writtenAt: 0 })
    await store.committed.settle()
    return staged
  }

  test("S3: numbers and objects, deleted ones too, are read with their headers by later transactions", async () => {
    for (const [first, second] of [
      [1, 2],
      [{ n: 1 }, { n: 2 }],
    ]) {
      const store = rows<unknown>(true)
      store.put("a", first, 5, of("1", "2"))
      store.put("b", first, 5)
      expect(told(store.get("a").headers)).toEqual(["1", "2"])
      await commit(store)
      for (let transaction = 0; transaction < 3; transaction++) {
        expect(store.get("a")).toMatchObject({ value: first, timestamp: 5 })
        expect(told(store.get("a").headers)).toEqual(["1", "2"])
        expect(told(store.get("b").headers)).toEqual([])
        store.stage()
        store.merge()
      }
      store.put("a", second, 6, of("3"))
      store.stage()
      store.rollback()
      expect(told(store.get("a").headers)).toEqual(["1", "2"])
      store.put("a", undefined, 7)
      await commit(store)
      expect(store.get("a")).toMatchObject({ value: undefined })
      expect(told(store.get("a").headers)).toEqual([])
    }
  })

  test.each<readonly [string, unknown]>([
    ["a number", 1],
    ["an object", { n: 1 }],
  ])("S3: where %s was deleted no time and no headers are read, before the commit as after it", async (_, value) => {
    const kind = { ...spec, kind: "window", value: json<unknown>(), retentionMs: 100, headers: true } as const
    const windows = new WindowStore<string, unknown>(kind, engines.open("w", 0), FLUSH_LIMITS)
    const store = rows<unknown>(true)
    const read = () => [store.get("a"), windows.get("a", 0)].map((row) => [row.value, row.timestamp, told(row.headers)])
    store.put("a", value, 5, of("1"))
    windows.put("a", 0, value, 5, of("1"))
    for (const one of [store, windows]) await commit(one)
    store.put("a", undefined, 7, of("2"))
    windows.put("a", 0, undefined, 7, of("2"))
    const nothing = [undefined, -1, []]
    expect(read()).toEqual([nothing, nothing])
    for (const one of [store, windows]) expect((await commit(one)).map(({ timestamp }) => timestamp)).toEqual([7])
    expect(read()).toEqual([nothing, nothing])
  })

  test("S3: a row whose record has no headers is not decoded again by later transactions", async () => {
    let decoded = 0
    const value = {
      ...json<number>(),
      decode: (bytes: Uint8Array) => {
        decoded++
        return json<number>().decode(bytes)
      },
    }
    const store = rows<number>(true, value)
    // As a reader of records answers it.
    store.put("a", 1, 5, [])
    await commit(store)
    expect([store.get("a").value, decoded]).toEqual([1, 0])
  })

  test("S3: in the changelog headers are the record's own, and the value is as without them", async () => {
    const store = rows<number>(true)
    store.put("a", 1, 5, of("1"))
    store.put("b", 2, 6)
    store.put("c", undefined, 7)
    const staged = store.stage()
    expect(staged.map(({ key, headers }) => [key, told(headers)])).toEqual([
      ["a", ["1"]],
      ["b", []],
      ["c", []],
    ])
    expect(staged.map((write) => changelogValue(write) && String(Buffer.from(changelogValue(write)!)))).toEqual([
      "1",
      "2",
      null,
    ])
  })

  test("S3: rows of before headers were kept have none until they are written again; those of after stay readable", async () => {
    const before = rows<number>(false)
    for (const key of ["a", "b"]) before.put(key, 1, 5)
    await commit(before)
    const kept = rows<number>(true)
    kept.put("b", 2, 6, of("1"))
    await commit(kept)
    const all = (store: KeyValueStore<string, number>) =>
      [...store.entries()].map(({ key, value, timestamp, headers }) => [key, value, timestamp, told(headers)])
    expect(all(kept)).toEqual([
      ["a", 1, 5, []],
      ["b", 2, 6, ["1"]],
    ])
    const after = rows<number>(false)
    expect(all(after)).toEqual([
      ["a", 1, 5, undefined],
      ["b", 2, 6, undefined],
    ])
    expect(after.get("b")).toMatchObject({ value: 2, timestamp: 6 })
    after.put("a", 3, 7)
    await commit(after)
    const again = rows<number>(true)
    expect(told(again.get("a").headers)).toEqual([])
    expect(told(again.get("b").headers)).toEqual(["1"])
  })

  test("S3: a restored row has the headers of its changelog record", async () => {
    const store = rows<number>(true)
    store.restore(string.encode("a")!, Buffer.from("1"), 5, of("1"))
    store.restore(string.encode("b")!, Buffer.from("2"), 6, of("2"))
    store.restore(string.encode("b")!, null, 7, of("3"))
    store.forgetReads()
    expect([...store.entries()].map(({ key, headers }) => [key, told(headers)])).toEqual([["a", ["1"]]])
    expect([...store.range()].map(({ key, headers }) => [key, told(headers)])).toEqual([["a", ["1"]]])
  })

  test("S3: windows keep headers, rows that are written in the open transaction too", async () => {
    const kind = { ...spec, kind: "window", value: json<number>(), retentionMs: 100, headers: true } as const
    const store = new WindowStore<string, number>(kind, engines.open("s", 0), FLUSH_LIMITS)
    store.put("a", 0, 1, 5, of("1"))
    store.put("a", 10, 2, 15)
    await commit(store)
    expect(told(store.get("a", 0).headers)).toEqual(["1"])
    expect(told(store.get("a", 10).headers)).toEqual([])
    store.put("a", 0, 3, 8, of("2", "3"))
    expect(told(store.decode(store.uncommitted().values().next().value!).headers)).toEqual(["2", "3"])
    await commit(store)
    expect([...store.entries()].map(({ start, value, headers }) => [start, value, told(headers)])).toEqual([
      [0, 3, ["2", "3"]],
      [10, 2, []],
    ])
  })
})
