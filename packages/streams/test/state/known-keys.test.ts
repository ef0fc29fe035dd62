/** Keys that an engine is known not to have: it must never be one that it has. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import fc from "fast-check"
import { expect, test } from "vitest"
import { KnownKeys } from "../../src/state/known-keys.ts"
import { LmdbEngines } from "../../src/state/lmdb-engine.ts"

const sorted = (keys: Iterable<string>, from: string) => [...keys].filter((key) => key >= from).sort()

test("no key that is there is ever lacked, whatever was there before", () => {
  const key = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 4,
  })
  const batches = fc.array(fc.array(fc.record({ key, isPut: fc.boolean() }), { maxLength: 20 }), { maxLength: 6 })
  fc.assert(
    fc.property(fc.array(key), batches, fc.nat(5), (before, written, forgottenAt) => {
      const there = new Set(before)
      const known = new KnownKeys((from) => sorted(there, from))
      for (const [at, batch] of written.entries()) {
        if (at === forgottenAt) known.forget()
        known.lacks("")
        known.learn(10_000)
        for (const { key, isPut } of batch) {
          if (isPut) known.add(key)
          if (isPut) there.add(key)
          else there.delete(key)
        }
        expect([...there].filter((key) => known.lacks(key))).toEqual([])
      }
    }),
  )
})

test("of keys that are not there nearly all are lacked, once what was there before is known", () => {
  const there = Array.from({ length: 45_000 }, (_, n) => `before-${n}`)
  const known = new KnownKeys((from) => sorted(there, from))
  const absent = Array.from({ length: 10_000 }, (_, n) => `absent-${n}`)
  const lacked = () => absent.filter((key) => known.lacks(key)).length
  for (let batch = 0; batch < 4; batch++) {
    expect(lacked()).toBe(0)
    known.learn(10_000)
  }
  known.learn(10_000)
  expect(lacked()).toBeGreaterThan(9_000)
  for (let n = 0; n < 100_000; n++) known.add(`after-${n}`)
  expect(lacked()).toBeGreaterThan(9_000)
  expect(there.some((key) => known.lacks(key))).toBe(false)
})

test("nothing is learned where nobody reads", () => {
  let isRead = false
  const known = new KnownKeys(() => {
    isRead = true
    return []
  })
  known.learn(10_000)
  expect(isRead).toBe(false)
  known.lacks("a")
  known.learn(10_000)
  expect([isRead, known.lacks("a")]).toEqual([true, true])
})

test("an engine that another thread wrote to meanwhile is opened anew", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-lmdb-"))
  const file = path.join(directory, "state.lmdb")
  const checkpoint = { topicId: "t", offset: 1, writtenAt: 0 }
  const row = (key: string) => ({ key, value: Uint8Array.from([1]) })
  const [ours, theirs] = [new LmdbEngines(file), new LmdbEngines(file)]
  try {
    const engine = ours.open("s", 0)
    await engine.write([row("a")], checkpoint)
    expect(engine.get("x")).toBeUndefined()
    await engine.write([row("b")], checkpoint)
    expect([engine.get("a"), engine.get("b"), engine.get("c")].map((value) => value?.length)).toEqual([1, 1, undefined])
    // Each thread has read just before the other one wrote: neither may go on with what it saw.
    for (let round = 0; round < 20; round++) {
      for (const [writer, reader] of [
        [theirs, ours],
        [ours, theirs],
      ] as const) {
        const key = `${round} ${writer === ours}`
        expect(reader.open("s", 0).get("a")?.length).toBe(1)
        await writer.open("s", 0).write([row(key)], checkpoint)
        expect(reader.open("s", 0).get(key)?.length).toBe(1)
      }
    }
  } finally {
    await ours.close()
    await theirs.close()
    rmSync(directory, { recursive: true })
  }
})
