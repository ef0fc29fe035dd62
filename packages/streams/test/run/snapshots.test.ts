/**
 * A task that is opened where none of its state is: what a restore takes from snapshots, and what it does not.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { json, string } from "@millrace/schema"
import { nodeHost } from "@millrace/host/node"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import type { ClusterReader } from "../../src/run/ports.ts"
import { restoreStore } from "../../src/run/restore.ts"
import { Snapshots } from "../../src/run/snapshots.ts"
import { packed } from "../../src/serde/packed.ts"
import { DirectorySnapshots } from "../../src/snapshots/directory.ts"
import { writeSnapshot } from "../../src/snapshots/snapshot.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { KeyValueStore } from "../../src/state/key-value-store.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { Bench, eventually, named } from "./bench.ts"

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "millrace-snapshots-"))
  return () => rmSync(directory, { recursive: true })
})

describe("a restore", () => {
  const SPEC = { name: "s", kind: "key-value", key: string, value: packed, changelog: "s-log" } as const
  const DAY = 86_400_000
  const LOG = Array.from({ length: 100 }, (_, at) => [`k${at % 10}`, at] as const)
  let told: string[]
  let now: number
  beforeEach(() => {
    told = []
    now = 1_000
  })

  const cluster = (topicId: string, beginning = 0): ClusterReader => ({
    committed: async () => new Map(),
    beginningOffsets: async () => new Map([["s-log-0", beginning]]),
    endOffsets: async () => new Map([["s-log-0", LOG.length]]),
    topicId: async () => topicId,
    async read(_partition, from, end, sink) {
      for (const [key, value] of LOG.slice(from, end))
        sink({ timestamp: 0, key: () => string.encode(key), value: () => packed.encode(value), headers: () => [] })
      return end
    },
  })
  const snapshots = () =>
    new Snapshots(
      { to: directory, every: "1 hour" },
      { applicationId: "app", host: nodeHost, log: (line) => told.push(line) },
    )
  const open = (engine = new MemoryEngine()) => new KeyValueStore<string, number>(SPEC, engine, FLUSH_LIMITS)
  const restore = (store: KeyValueStore, reader: ClusterReader) =>
    restoreStore(store, 0, reader, { deleteRetentionMs: DAY, now: () => now, snapshots: snapshots() })
  const rowsOf = (store: KeyValueStore) => [...store.entries()].map(({ key, value }) => [key, value])
  const EXPECTED = Array.from({ length: 10 }, (_, at) => [`k${at}`, 90 + at])

  /** The state after so many records. */
  const engineAt = async (offset: number, topicId = "id") => {
    const store = open()
    for (const [key, value] of LOG.slice(0, offset)) store.restore(string.encode(key), packed.encode(value), 0)
    store.committed.flush({ topicId, offset, writtenAt: now })
    await store.committed.settle()
    return store.committed.engine as MemoryEngine
  }
  const snapshotAt = async (offset: number, topicId = "id") => {
    const target = new DirectorySnapshots(nodeHost.disk, directory)
    const image = (await engineAt(offset, topicId)).image()!
    await writeSnapshot(image, { target, place: "app/s-0", nonce: "n", pause: async () => {} })
  }

  test("without local state it copies the latest snapshot and reads the rest", async () => {
    await snapshotAt(40)
    await snapshotAt(70)
    const store = open()
    expect(await restore(store, cluster("id"))).toBe(30)
    expect(rowsOf(store)).toEqual(EXPECTED)
    expect(told).toEqual(["store s-0 begins with a snapshot of 10 rows, at offset 70 of its changelog"])
  })

  test("local state is gone on from, unless more records than a snapshot has rows are to be read", async () => {
    await snapshotAt(70)
    const near = open(await engineAt(65))
    expect(await restore(near, cluster("id"))).toBe(35)
    expect(told).toEqual([])
    const far = open(await engineAt(5))
    expect(await restore(far, cluster("id"))).toBe(30)
    expect([rowsOf(near), rowsOf(far)]).toEqual([EXPECTED, EXPECTED])
  })

  test.each([
    ["another topic of that name", "id2", 0, 0, "it is of another changelog topic of that name"],
    ["what has left the log", "id", 50, 0, "the changelog does not have everything after it any more"],
    ["older than deletions are kept", "id", 0, DAY, "the changelog does not have everything after it any more"],
  ])("of %s it uses none", async (_, topicId, beginning, ageMs, reason) => {
    await snapshotAt(40)
    now += ageMs
    const store = open()
    expect(await restore(store, cluster(topicId, beginning))).toBe(LOG.length - beginning)
    expect(rowsOf(store)).toEqual(EXPECTED)
    expect(told).toEqual([`snapshot app/s-0/id/0000000000000040-n is not used: ${reason}`])
  })

  test("one that is damaged makes way for the one before, and at last for the changelog", async () => {
    await snapshotAt(40)
    await snapshotAt(70)
    const damage = (offset: string) => writeFileSync(path.join(directory, `app/s-0/id/${offset}-n/0`), "noise")
    damage("0000000000000070")
    const first = open()
    expect(await restore(first, cluster("id"))).toBe(60)
    expect(told).toEqual([
      "snapshot app/s-0/id/0000000000000070-n is not used: part 0 is damaged",
      "store s-0 begins with a snapshot of 10 rows, at offset 40 of its changelog",
    ])
    damage("0000000000000040")
    const second = open()
    expect(await restore(second, cluster("id"))).toBe(100)
    expect([rowsOf(first), rowsOf(second)]).toEqual([EXPECTED, EXPECTED])
  })

  test("a place that cannot be read is told, and the changelog has everything", async () => {
    writeFileSync(path.join(directory, "app"), "a file where a directory should be")
    const store = open()
    expect(await restore(store, cluster("id"))).toBe(100)
    expect(rowsOf(store)).toEqual(EXPECTED)
    expect(told).toEqual([expect.stringMatching(/^store s-0 is restored without a snapshot: cannot list /)])
  })
})

describe("a run", () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await Bench.start()
  })
  afterEach(() => bench.close())

  test.each(["on disk", "in memory"])("begins with a snapshot where its state is gone: %s", async (where) => {
    const In = S.topic(named("in"), { key: string, value: json<number>() })
    const Out = S.topic(named("out"), { key: string, value: json<number>() })
    await bench.createTopics({ in: 2, out: 1 })
    const sums = S.pipeline(named("snapshot-app"), () =>
      S.stream(In).pipe(
        S.aggregate("sums", { init: () => 0, add: (sum, value) => sum + value, value: json<number>() }),
        S.toStream(),
        S.to(Out),
      ),
    )
    const told: string[] = []
    const { stateDir, ...options } = bench.options("state", {
      flushLimits: { memtableBytesMax: 1_000_000, memtableAgeMs: 1 },
      log: (line) => told.push(line),
    })
    const start = (more: Partial<S.RunOptions>) =>
      S.run(sums, { ...options, ...(where === "on disk" && { stateDir: stateDir! }), ...more })
    const snapshots = { to: directory, every: 20 }
    const KEYS = 50
    let sent = 0
    /** One for each key. */
    const send = async () => {
      await bench.produce(
        In,
        Array.from({ length: KEYS }, (_, at) => [`k${at}`, 1, sent + at] as const),
      )
      sent += KEYS
    }
    const written = () =>
      readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("/manifest"))

    const first = await start({ snapshots })
    await eventually("snapshots of both partitions", async () => {
      // Engines are written at commits.
      await send()
      return new Set(written().map((name) => name.split("/")[1])).size === 2
    })
    await bench.consume(Out, sent)
    await first.close()
    const before = sent

    const between = await start({})
    await send()
    await bench.consume(Out, sent)
    await between.close()
    rmSync(stateDir!, { recursive: true, force: true })

    told.length = 0
    const second = await start({ snapshots })
    await send()
    const found = await bench.consume(Out, sent)
    expect(told.filter((line) => line.includes("begins with a snapshot")).length).toBe(2)
    expect(second.metrics().restoredRecords).toBeGreaterThanOrEqual(KEYS)
    expect(second.metrics().restoredRecords).toBeLessThan(before)
    await second.close()
    const latest = new Map(found.map(({ key, value }) => [key, value]))
    expect([...latest.values()]).toEqual(Array.from({ length: KEYS }, () => sent / KEYS))
    expect(found.length).toBe(sent)
  })
})
