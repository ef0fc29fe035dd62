import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { describe } from "vitest"
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
