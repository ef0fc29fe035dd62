/** What compaction does to segments, files and their bounds. */
import { describe, expect, test } from "vitest"
import { CleaningAborted } from "../../src/cleaner/clean-log.ts"
import { MemoryDisk } from "../memory-disk.ts"
import {
  appended,
  CLIENT,
  contents,
  COORDINATOR,
  DIRECTORY,
  fromProducer,
  marker,
  NOW,
  type Sample,
} from "../samples.ts"
import { clean } from "./cleaning.ts"
import { allBatches, compacted, put } from "./compacted.ts"

describe("bounds and files", () => {
  test("70: the batch that ends where the round ends stays, empty if need be", async () => {
    const log = compacted()
    put(log, ["a", "1"])
    appended(log.append(fromProducer(1, 0, 0, 1, { transactional: true }), CLIENT))
    log.roll(NOW)
    appended(log.append(marker(1, 0, false), COORDINATOR))
    appended(log.append(fromProducer(1, 0, 1, 1), CLIENT))
    await clean(log)
    expect(allBatches(log)[1]).toMatchObject({ baseOffset: 1, recordCount: 0 })
  })

  test("small neighbours become one segment, named after the first, with a snapshot for each that is left", async () => {
    const disk = new MemoryDisk()
    const log = compacted({}, disk)
    for (let index = 0; index < 5; index++) {
      put(log, ["k", String(index)])
      log.roll(NOW)
    }
    put(log, ["z", "0"])
    await clean(log)
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 5])
    expect(disk.list(DIRECTORY).filter((name) => name.endsWith(".log"))).toHaveLength(2)
    expect(contents(log)).toEqual([
      [4, "4"],
      [5, "0"],
    ])
  })

  test("several rounds, when the keys do not fit, end where one would have", async () => {
    const log = compacted({ segmentBytes: 4000 })
    for (let index = 0; index < 1000; index++) put(log, [`k${index % 500}`, String(index)])
    log.roll(NOW)
    put(log, ["z", "0"])
    let checkpoint = 0
    let rounds = 0
    for (; checkpoint < 1000; rounds++) {
      const { endOffset } = await clean(log, { checkpoint, dedupeBytes: 256 * 24 })
      expect(endOffset).toBeGreaterThan(checkpoint)
      checkpoint = endOffset
    }
    expect(rounds).toBeGreaterThan(3)
    expect(contents(log)).toEqual([
      ...Array.from({ length: 500 }, (_, index) => [index + 500, String(index + 500)]),
      [1000, "0"],
    ])
  })

  test("a batch with more keys than the map may hold does not stop the log from being cleaned", async () => {
    const log = compacted()
    put(log, ...Array.from({ length: 1000 }, (_, index): Sample => [`k${index}`, "1"]))
    put(log, ["k0", "2"])
    log.roll(NOW)
    put(log, ["z", "0"])
    const first = await clean(log, { dedupeBytes: 256 * 24 })
    expect(first.endOffset).toBe(1000)
    await clean(log, { dedupeBytes: 256 * 24, checkpoint: first.endOffset })
    expect(contents(log)).toHaveLength(1001)
  })

  test("batches larger than a slice are cleaned", async () => {
    const log = compacted()
    put(log, ["a", "v".repeat(50_000)])
    put(log, ["a", "w".repeat(60_000)], ["b", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    await clean(log, { ioBytes: 1024 })
    expect(contents(log).map(([offset]) => offset)).toEqual([1, 2, 3])
  })

  test("offsets by time are right after cleaning, from the new indexes", async () => {
    const log = compacted({ indexIntervalBytes: 100 })
    for (let index = 0; index < 100; index++) put(log, [`k${index % 30}`, "v".repeat(20), NOW + index])
    log.roll(NOW)
    put(log, ["z", "0", NOW + 1000])
    await clean(log)
    expect(log.offsetForTimestamp(NOW)).toMatchObject({ offset: 70, timestamp: NOW + 70 })
    expect(log.offsetForTimestamp(NOW + 85)).toMatchObject({ offset: 85, timestamp: NOW + 85 })
    expect(log.offsetForTimestamp(NOW + 500)).toMatchObject({ offset: 100 })
  })

  test("71: a compact,delete log loses expired segments, a compact one none, and it follows a change of policy", async () => {
    const log = compacted({ retentionMs: 1000 })
    put(log, ["a", "1", NOW])
    log.roll(NOW)
    put(log, ["z", "0", NOW + 5000])
    await clean(log)
    expect(log.retain(NOW + 5000, log.logEndOffset)).toBe(0)
    log.config = { ...log.config, cleanupPolicy: ["compact", "delete"] }
    expect(log.retain(NOW + 5000, log.logEndOffset)).toBe(1)
    expect(log.logStartOffset).toBe(1)
  })

  test("71: a segment that cleaning emptied does not stop retention", async () => {
    const log = compacted({ cleanupPolicy: ["compact", "delete"], retentionMs: 1000, segmentBytes: 200 })
    put(log, ["a", "1".repeat(60), NOW])
    log.roll(NOW)
    put(log, ["a", "2".repeat(60), NOW])
    log.roll(NOW)
    put(log, ["z", "0", NOW + 5000])
    await clean(log)
    expect(log.segments[0]!.size).toBe(0)
    expect(log.retain(NOW + 5000, log.logEndOffset)).toBe(2)
  })

  test("a log that is deleted at any pause of the round ends it, and nothing is said to be wrong with the disk", async () => {
    const segments = 6
    const filled = (disk: MemoryDisk) => {
      const log = compacted({ segmentBytes: 200 }, disk)
      for (let index = 0; log.segments.length < segments; index++) put(log, ["k", String(index)])
      return log
    }
    let pauses = 0
    const pace = () => Promise.resolve(void pauses++)
    await clean(filled(new MemoryDisk()), { pace })
    expect(pauses).toBeGreaterThan(segments)
    for (let last = 1; last <= pauses; last++) {
      const disk = new MemoryDisk()
      const log = filled(disk)
      let left = last
      const round = clean(log, {
        async pace() {
          if (--left > 0) return
          log.close(false)
          disk.rename(DIRECTORY, `${DIRECTORY}.delete`)
        },
      })
      await expect(round, `pause ${last}`).rejects.toThrow(CleaningAborted)
      expect(disk.list(DIRECTORY)).toEqual([])
    }
  })
})
