/**
 * The layers below a store: what is read while an engine writes, and when it is asked to.
 */
import { expect, test } from "vitest"
import { CommittedBytes } from "../../src/state/committed.ts"
import type { Checkpoint, EngineWrite } from "../../src/state/engine.ts"
import { KeyValueStore } from "../../src/state/key-value-store.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { canonicalKey } from "../../src/serde/canonical-key.ts"
import { packed } from "../../src/serde/packed.ts"

/** Writes when the test says so. */
class SlowEngine extends MemoryEngine {
  release: () => void = () => {}
  override async write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void> {
    await new Promise<void>((resolve) => (this.release = resolve))
    await super.write(batch, checkpoint)
  }
}

const checkpoint: Checkpoint = { topicId: "t", offset: 1, writtenAt: 0 }
const limits = { memtableBytesMax: 1_000, memtableAgeMs: 50 }
const plain = (bytes: CommittedBytes) => [...bytes.range()].map(([key, value]) => [key, Buffer.from(value).toString()])

test("what is being written stays readable, under what came later", async () => {
  const engine = new SlowEngine()
  const bytes = new CommittedBytes(engine, 0, limits)
  bytes.put("a", Buffer.from("1"))
  bytes.put("b", Buffer.from("1"))
  bytes.flush(checkpoint)
  bytes.put("b", Buffer.from("2"))
  bytes.put("c", null)
  expect(
    [bytes.get("a"), bytes.get("b"), bytes.get("c")].map((value) => value && Buffer.from(value).toString()),
  ).toEqual(["1", "2", undefined])
  expect(plain(bytes)).toEqual([
    ["a", "1"],
    ["b", "2"],
  ])
  engine.release()
  await bytes.settle()
  expect(plain(bytes)).toEqual([
    ["a", "1"],
    ["b", "2"],
  ])
  expect(engine.get("b")).toEqual(Buffer.from("1"))
})

test("a deletion hides what the engine still holds", async () => {
  const engine = new MemoryEngine()
  await engine.write([{ key: "a", value: Buffer.from("1") }], checkpoint)
  const bytes = new CommittedBytes(engine, 0, limits)
  bytes.put("a", null)
  expect(bytes.get("a")).toBeUndefined()
  expect(plain(bytes)).toEqual([])
})

test("a memtable is due by size or by age, one at a time; two full ones ask to wait", async () => {
  const engine = new SlowEngine()
  const bytes = new CommittedBytes(engine, 0, limits)
  expect(bytes.isDue(0)).toBe(false)
  bytes.put("a", Buffer.from("1"))
  expect([bytes.isDue(100), bytes.isDue(149), bytes.isDue(150)]).toEqual([false, false, true])
  bytes.put("b", Buffer.alloc(1_000))
  expect(bytes.isDue(100)).toBe(true)
  bytes.flush(checkpoint)
  bytes.put("c", Buffer.alloc(1_000))
  expect([bytes.isDue(999), bytes.isFull]).toEqual([false, true])
  engine.release()
  await bytes.settle()
  expect([bytes.isDue(999), bytes.isFull]).toEqual([true, false])
})

test("a write that fails is told when waited for", async () => {
  class BrokenEngine extends MemoryEngine {
    override async write(): Promise<void> {
      throw new Error("no space left")
    }
  }
  const bytes = new CommittedBytes(new BrokenEngine(), 0, limits)
  bytes.put("a", Buffer.from("1"))
  bytes.flush(checkpoint)
  await expect(bytes.settle()).rejects.toThrow("no space left")
})

test("S9: a transaction's overlay is gone when it ends, and an aggregate changed in place with it", () => {
  const spec = { name: "s", kind: "key-value", key: canonicalKey, value: packed, changelog: "c" } as const
  const store = new KeyValueStore<string, number[]>(spec, new MemoryEngine(), limits)
  store.put("a", [1], 5)
  store.stage()
  store.merge()
  expect(store.openEntries).toBe(0)
  store.get("a").value!.push(2)
  expect(store.get("a").value).toEqual([1, 2])
  store.rollback()
  expect(store.get("a")).toMatchObject({ value: [1], timestamp: 5 })
})
