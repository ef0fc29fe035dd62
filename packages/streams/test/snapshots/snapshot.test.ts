import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { nodeHost } from "@millrace/host/node"
import fc from "fast-check"
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest"
import { DirectorySnapshots } from "../../src/snapshots/directory.ts"
import { findSnapshots, readSnapshot, writeSnapshot } from "../../src/snapshots/snapshot.ts"
import { byteString } from "../../src/state/byte-order.ts"
import type { Checkpoint, EngineWrite, StateEngine } from "../../src/state/engine.ts"
import { LmdbEngines } from "../../src/state/lmdb-engine.ts"
import { MemoryEngines } from "../../src/state/memory-engine.ts"
import { snapshotStoreConformance } from "../conformance/snapshot-store.ts"

const scratch = mkdtempSync(path.join(tmpdir(), "millrace-snapshots-"))
const directory = () => mkdtempSync(path.join(scratch, "d-"))
afterAll(() => rmSync(scratch, { recursive: true }))

const PLACE = "app/store-0"
const noPause = async () => {}
const row = (key: string, value: string): EngineWrite => ({ key, value: Buffer.from(value) })
const at = (offset: number, topicId = "id"): Checkpoint => ({ topicId, offset, writtenAt: 7 })
const contentOf = (engine: StateEngine) =>
  [...engine.range()].map(([key, value]) => `${key}=${Buffer.from(value).toString()}`)

describe("a directory", () => {
  snapshotStoreConformance(async () => new DirectorySnapshots(nodeHost.disk, directory()))
})

describe.each([
  ["memory", () => new MemoryEngines()],
  ["lmdb", () => new LmdbEngines(path.join(directory(), "state.lmdb"))],
])("of an engine: %s", (_, open) => {
  let root: string
  let target: DirectorySnapshots
  let engines: MemoryEngines | LmdbEngines
  beforeEach(() => {
    root = directory()
    target = new DirectorySnapshots(nodeHost.disk, root)
    engines = open()
  })
  afterEach(() => engines.close())

  let nonce = 0
  const write = async (engine: StateEngine, options: { partBytes?: number; pause?: () => Promise<void> } = {}) => {
    const image = engine.image!()!
    try {
      await writeSnapshot(image, { target, place: PLACE, nonce: `n${nonce++}`, pause: noPause, ...options })
    } finally {
      image.release()
    }
  }
  const found = async (topicId = "id") => {
    const told: string[] = []
    const all = []
    for await (const one of findSnapshots(target, PLACE, topicId, (name, why) => told.push(`${name}: ${why}`)))
      all.push(one)
    return { all, told, offsets: all.map(({ checkpoint }) => checkpoint.offset) }
  }

  test("it is read back into an empty engine, whatever is in it", async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })
    const rows = fc.uniqueArray(fc.record({ key: bytes.map(byteString), value: fc.uint8Array({ maxLength: 300 }) }), {
      selector: ({ key }) => key,
      maxLength: 60,
    })
    let store = 0
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 200 }), async (batch, partBytes) => {
        const [from, to] = [engines.open(`a${store}`, 0), engines.open(`b${store++}`, 0)]
        target = new DirectorySnapshots(nodeHost.disk, directory())
        await from.write(batch, at(40))
        await write(from, { partBytes })
        const { all } = await found()
        expect(all[0]!.rows).toBe(batch.length)
        await readSnapshot(target, all[0]!, to)
        expect(contentOf(to)).toEqual(contentOf(from))
        expect(to.checkpoint()).toEqual(at(40))
      }),
      { numRuns: 30 },
    )
  })

  test("the two latest are kept, the latest is found first", async () => {
    const engine = engines.open("s", 0)
    for (const offset of [9, 10, 11]) {
      await engine.write([row("k", `v${offset}`)], at(offset))
      await write(engine)
    }
    expect((await found()).offsets).toEqual([11, 10])
    expect(readdirSync(path.join(root, PLACE, "id")).length).toBe(2)
  })

  test("one that was cut off in the middle leaves the one before, and goes with the next", async () => {
    const engine = engines.open("s", 0)
    await engine.write([row("k", "first")], at(1))
    await write(engine)
    const rows = Array.from({ length: 5_000 }, (_, n) => row(`key-${n}`, "x".repeat(50)))
    await engine.write(rows, at(2))
    let pauses = 0
    const dies = async () => {
      if (++pauses === 3) throw new Error("killed")
    }
    await expect(write(engine, { partBytes: 50_000, pause: dies })).rejects.toThrow("killed")
    expect((await target.list(`${PLACE}/id/0000000000000002`)).length).toBeGreaterThan(0)
    expect((await found()).offsets).toEqual([1])
    for (const offset of [3, 4]) {
      await engine.write([], at(offset))
      await write(engine)
    }
    expect(await target.list(`${PLACE}/id/0000000000000002`)).toEqual([])
    expect((await found()).offsets).toEqual([4, 3])
  })

  test("a part that was damaged or lost is met, and what was read of the rest cannot be gone on from", async () => {
    const engine = engines.open("s", 0)
    await engine.write(
      Array.from({ length: 100 }, (_, n) => row(`key-${n}`, "x".repeat(50))),
      at(5),
    )
    await write(engine, { partBytes: 1_000 })
    const { name } = (await found()).all[0]!
    const part = Buffer.from((await target.get(`${name}/2`))!)
    part[30]! ^= 1
    await target.put(`${name}/2`, part)
    const copy = engines.open("copy", 0)
    await expect(readSnapshot(target, (await found()).all[0]!, copy)).rejects.toThrow("part 2 is damaged")
    expect(contentOf(copy).length).toBeGreaterThan(0)
    expect(copy.checkpoint()?.topicId).toBe("")
    await target.delete(`${name}/2`)
    await expect(readSnapshot(target, (await found()).all[0]!, copy)).rejects.toThrow("part 2 is gone")
  })

  test("a manifest that was damaged makes way for the one before", async () => {
    const engine = engines.open("s", 0)
    for (const offset of [1, 2]) {
      await engine.write([row("k", `v${offset}`)], at(offset))
      await write(engine)
    }
    const { name } = (await found()).all[0]!
    const manifest = Buffer.from((await target.get(`${name}/manifest`))!)
    manifest[20]! ^= 1
    await target.put(`${name}/manifest`, manifest)
    const { offsets, told } = await found()
    expect([offsets, told]).toEqual([[1], [`${name}: its manifest is damaged`]])
  })

  test("those of a topic that was made anew are not used, and go with the next", async () => {
    const engine = engines.open("s", 0)
    await engine.write([row("k", "old")], at(900, "old"))
    await write(engine)
    const { offsets, told } = await found("new")
    expect(offsets).toEqual([])
    expect(told).toEqual([expect.stringMatching(/\/old\/.*: it is of another changelog topic of that name$/)])
    await engine.write([row("k", "new")], at(3, "new"))
    await write(engine)
    expect((await found("new")).offsets).toEqual([3])
    expect((await target.list(`${PLACE}/`)).filter((name) => name.includes("/old/"))).toEqual([])
  })
})
