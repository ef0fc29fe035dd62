import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { describe, expect, test } from "vitest"
import { LmdbEngines } from "../../src/state/lmdb-engine.ts"
import { MemoryEngines } from "../../src/state/memory-engine.ts"
import { stateEngineConformance } from "../conformance/state-engine.ts"

describe("memory", () => {
  stateEngineConformance(async () => {
    const engines = new MemoryEngines()
    return { engine: engines.open("store", 0), close: () => engines.close() }
  })
})

describe("lmdb", () => {
  stateEngineConformance(async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "millrace-lmdb-"))
    let engines = new LmdbEngines(path.join(directory, "state.lmdb"))
    return {
      engine: engines.open("store", 0),
      reopen: async () => {
        await engines.close()
        engines = new LmdbEngines(path.join(directory, "state.lmdb"))
        return engines.open("store", 0)
      },
      close: async () => {
        await engines.close()
        rmSync(directory, { recursive: true })
      },
    }
  })
})

describe.each([
  ["memory", () => new MemoryEngines()],
  ["lmdb", () => new LmdbEngines(path.join(mkdtempSync(path.join(tmpdir(), "millrace-lmdb-")), "state.lmdb"))],
])("the engines of a worker: %s", (_, open) => {
  test("stores with content are listed, and are gone once they are destroyed", async () => {
    const engines = open()
    const checkpoint = { topicId: "t", offset: 1, writtenAt: 0 }
    const write = { key: "k", value: Uint8Array.from([1]) }
    for (const [store, partition] of [
      ["a", 0],
      ["a", 11],
      ["b-1", 0],
    ] as const) {
      await engines.open(store, partition).write([write], checkpoint)
    }
    const listed = () =>
      engines
        .list()
        .map(({ store, partition }) => `${store} ${partition}`)
        .sort()
    expect(listed()).toEqual(["a 0", "a 11", "b-1 0"])
    await engines.destroy("a", 11)
    expect(listed()).toEqual(["a 0", "b-1 0"])
    expect(engines.open("a", 11).get(write.key)).toBeUndefined()
    expect(engines.open("a", 11).checkpoint()).toBeUndefined()
    await engines.close()
  })
})
