import { ErrorCode, errorName } from "@millrace/protocol/errors"
import { RecordBatchView } from "@millrace/protocol/record/batch"
import { RecordReader } from "@millrace/protocol/record/record"
import { describe, expect, it } from "vitest"
import type { LogConfig } from "../src/log-config.ts"
import { MemoryDisk } from "./memory-disk.ts"
import {
  appended,
  batchesIn,
  batchOf,
  CLIENT,
  COORDINATOR,
  contents,
  marker,
  fromProducer,
  NOW,
  openLog,
  type Sample,
} from "./samples.ts"

const one: readonly Sample[] = [["k", "v"]]

/** A valid batch with some bytes changed, and its checksum made right again. */
function changed(change: (bytes: Uint8Array, view: RecordBatchView) => void, samples = one): Uint8Array {
  const bytes = batchOf(samples)
  const view = new RecordBatchView(bytes)
  change(bytes, view)
  view.updateCrc()
  return bytes
}

function flipped(bytes: Uint8Array): Uint8Array {
  bytes[bytes.length - 2]! ^= 1
  return bytes
}

interface Refused {
  readonly name: string
  readonly config?: Partial<LogConfig>
  readonly bytes: Uint8Array
  readonly error: ErrorCode
  readonly records?: readonly number[]
}

const big: readonly Sample[] = [["k", "x".repeat(2000)]]
const hour = 3_600_000
const REFUSED: readonly Refused[] = [
  { name: "nothing", bytes: new Uint8Array(0), error: ErrorCode.INVALID_RECORD },
  { name: "two batches", bytes: Buffer.concat([batchOf(one), batchOf(one)]), error: ErrorCode.INVALID_RECORD },
  { name: "half a batch", bytes: batchOf(one).subarray(0, 65), error: ErrorCode.CORRUPT_MESSAGE },
  {
    name: "bytes after the batch",
    bytes: Buffer.concat([batchOf(one), Buffer.from("tail")]),
    error: ErrorCode.CORRUPT_MESSAGE,
  },
  {
    name: "a wrong checksum",
    bytes: flipped(batchOf(one)),
    error: ErrorCode.CORRUPT_MESSAGE,
  },
  { name: "an old format", bytes: changed((bytes) => (bytes[16] = 1)), error: ErrorCode.INVALID_RECORD },
  { name: "a control batch", bytes: marker(1, 0, true), error: ErrorCode.INVALID_RECORD },
  { name: "a delete horizon", bytes: changed((bytes) => (bytes[22]! |= 0x40)), error: ErrorCode.INVALID_RECORD },
  { name: "an unknown codec", bytes: changed((bytes) => (bytes[22]! |= 7)), error: ErrorCode.INVALID_RECORD },
  {
    name: "a codec that the bytes do not have",
    bytes: changed((bytes) => (bytes[22]! |= 4)),
    error: ErrorCode.INVALID_RECORD,
  },
  { name: "no record", bytes: batchOf([]), error: ErrorCode.INVALID_RECORD },
  {
    name: "a count beyond the records",
    bytes: changed((bytes) => ((bytes[60] = 2), (bytes[26] = 1))),
    error: ErrorCode.INVALID_RECORD,
  },
  {
    name: "a last offset delta that does not match",
    bytes: changed((bytes) => (bytes[26] = 1)),
    error: ErrorCode.INVALID_RECORD,
  },
  { name: "a base offset", bytes: changed((_, view) => (view.baseOffset = 5)), error: ErrorCode.INVALID_RECORD },
  { name: "offset deltas with gaps", bytes: changed((bytes) => (bytes[64] = 4)), error: ErrorCode.INVALID_RECORD },
  {
    name: "a negative sequence",
    bytes: changed((_, view) => view.setProducerState(5, 0, -1)),
    error: ErrorCode.INVALID_RECORD,
  },
  {
    name: "a transaction without a producer",
    bytes: changed((bytes) => (bytes[22]! |= 0x10)),
    error: ErrorCode.INVALID_RECORD,
  },
  {
    name: "the client's own append time",
    bytes: changed((bytes) => (bytes[22]! |= 0x08)),
    error: ErrorCode.INVALID_TIMESTAMP,
  },
  {
    name: "a batch above max.message.bytes",
    config: { maxMessageBytes: 1000 },
    bytes: batchOf(big),
    error: ErrorCode.MESSAGE_TOO_LARGE,
  },
  {
    name: "a batch above segment.bytes",
    config: { segmentBytes: 1000 },
    bytes: batchOf(big),
    error: ErrorCode.RECORD_LIST_TOO_LARGE,
  },
  {
    name: "a batch that decompresses to too much",
    config: { decompressedBytesMax: 500 },
    bytes: batchOf(big, { compression: "zstd" }),
    error: ErrorCode.MESSAGE_TOO_LARGE,
  },
  {
    name: "records without key in a compacted topic",
    config: { cleanupPolicy: ["compact"] },
    bytes: batchOf([
      [null, "a"],
      ["k", "b"],
      [null, "c"],
    ]),
    error: ErrorCode.INVALID_RECORD,
    records: [0, 2],
  },
  {
    name: "records too far in the future",
    bytes: batchOf([
      ["k", "a", NOW],
      ["k", "b", NOW + hour + 1],
    ]),
    error: ErrorCode.INVALID_TIMESTAMP,
    records: [1],
  },
  {
    name: "records too far in the past",
    config: { messageTimestampBeforeMaxMs: 1000 },
    bytes: batchOf(
      [
        ["k", "a", NOW - 1001],
        ["k", "b", NOW - 1000],
      ],
      { compression: "gzip" },
    ),
    error: ErrorCode.INVALID_TIMESTAMP,
    records: [0],
  },
]

describe("appending refuses", () => {
  it.each(REFUSED)("$name", ({ config, bytes, error, records }) => {
    const log = openLog(new MemoryDisk(), config)
    const result = log.append(Buffer.from(bytes), CLIENT)
    expect(result.ok ? "accepted" : errorName(result.error)).toBe(errorName(error))
    if (!result.ok) expect(result.recordErrors?.map(({ batchIndex }) => batchIndex)).toEqual(records)
    expect(log.logEndOffset).toBe(0)
    appended(log.append(batchOf([["k", "after"]]), CLIENT))
    expect(contents(log)).toEqual([[0, "after"]])
  })
})

describe("appending", () => {
  it("measures the compressed batch, not its records", () => {
    const log = openLog(new MemoryDisk(), { maxMessageBytes: 1000 })
    appended(log.append(batchOf(big, { compression: "lz4" }), CLIENT))
  })

  it("overwrites the client's leader epoch and assigns offsets, outside of the checksum", () => {
    const log = openLog(new MemoryDisk())
    appended(
      log.append(
        batchOf([
          ["a", "1"],
          ["b", "2"],
        ]),
        CLIENT,
      ),
    )
    appended(log.append(batchOf(one, { partitionLeaderEpoch: 99 }), { ...CLIENT, leaderEpoch: 4 }))
    const [first, second] = batchesIn(log)
    expect([first!.baseOffset, first!.lastOffset, first!.partitionLeaderEpoch]).toEqual([0, 1, 0])
    expect([second!.baseOffset, second!.partitionLeaderEpoch, second!.isValidCrc()]).toEqual([2, 4, true])
    expect([log.latestEpoch, log.epochOf(1), log.epochOf(2)]).toEqual([4, 0, 4])
  })

  it("recomputes a greatest timestamp that the client left out", () => {
    const log = openLog(new MemoryDisk())
    const bytes = changed(
      (_, view) => view.setMaxTimestamp("CreateTime", -1),
      [
        ["k", "a", 70],
        ["k", "b", 90],
        ["k", "c", 80],
      ],
    )
    appended(log.append(bytes, CLIENT))
    expect([batchesIn(log)[0]!.maxTimestamp, batchesIn(log)[0]!.isValidCrc()]).toEqual([90, true])
    expect(log.offsetForTimestamp(85)).toEqual({ offset: 1, timestamp: 90, leaderEpoch: 0 })
    expect(log.offsetForMaxTimestamp()).toEqual({ offset: 1, timestamp: 90, leaderEpoch: 0 })
  })

  it("stamps the append time and answers it", () => {
    const log = openLog(new MemoryDisk(), { messageTimestampType: "LogAppendTime" })
    const result = appended(
      log.append(
        batchOf([
          ["k", "v", 5],
          ["k", "w", 6],
        ]),
        { ...CLIENT, now: NOW + 7 },
      ),
    )
    expect(result.logAppendTime).toBe(NOW + 7)
    const view = batchesIn(log)[0]!
    expect([view.timestampType, view.maxTimestamp, view.baseTimestamp, view.isValidCrc()]).toEqual([
      "LogAppendTime",
      NOW + 7,
      5,
      true,
    ])
    const reader = new RecordReader(view)
    while (reader.next()) expect(reader.timestamp).toBe(NOW + 7)
  })

  it("answers no append time for create time", () => {
    expect(appended(openLog(new MemoryDisk()).append(batchOf(one), CLIENT)).logAppendTime).toBe(-1)
  })

  it.each(["gzip", "snappy", "lz4", "zstd", "none"] as const)("recompresses to the topic's %s", (compressionType) => {
    const log = openLog(new MemoryDisk(), { compressionType })
    const source = compressionType === "gzip" ? "zstd" : "gzip"
    appended(
      log.append(
        batchOf(
          [
            ["a", "1"],
            ["b", null],
          ],
          { compression: source, producerId: 9, producerEpoch: 1, baseSequence: 0 },
        ),
        CLIENT,
      ),
    )
    const view = batchesIn(log)[0]!
    expect(view).toMatchObject({
      compression: compressionType,
      producerId: 9,
      producerEpoch: 1,
      baseSequence: 0,
      lastOffset: 1,
    })
    expect(contents(log)).toEqual([
      [0, "1"],
      [1, null],
    ])
  })

  it("keeps nothing of a write that the disk refused", () => {
    const disk = new MemoryDisk()
    const log = openLog(disk)
    appended(log.append(batchOf([["k", "before"]]), CLIENT))
    disk.full = true
    expect(() => log.append(batchOf([["k", "x".repeat(300)]]), CLIENT)).toThrow(/no space left/)
    disk.full = false
    expect(log.logEndOffset).toBe(1)
    appended(log.append(batchOf([["k", "after"]]), CLIENT))
    log.close(true)
    expect(contents(openLog(disk, {}, { cleanShutdown: true }))).toEqual([
      [0, "before"],
      [1, "after"],
    ])
  })

  it("knows the producers of deleted records after a clean close for which there was no room", () => {
    const disk = new MemoryDisk()
    const log = openLog(disk)
    appended(log.append(fromProducer(5, 0, 0), CLIENT))
    log.roll(NOW)
    expect(log.retain(NOW + 1e12, log.logEndOffset)).toBe(1)
    disk.full = true
    expect(() => log.close(true)).toThrow(/no space left/)
    disk.full = false
    expect(openLog(disk, {}, { recoveryPoint: log.recoveryPoint }).activeProducers()).toMatchObject([{ producerId: 5 }])
  })

  it("takes replicated batches with their offsets, gaps and epochs", () => {
    const log = openLog(new MemoryDisk())
    const bytes = Buffer.concat([
      batchOf(one, { baseOffset: 0, partitionLeaderEpoch: 1 }),
      batchOf(one, { baseOffset: 7, partitionLeaderEpoch: 3 }),
    ])
    const result = appended(log.append(bytes, { origin: "replication", leaderEpoch: 3, now: NOW }))
    expect([result.baseOffset, result.lastOffset, log.logEndOffset, log.latestEpoch]).toEqual([0, 7, 8, 3])
    const behind = log.append(batchOf(one, { baseOffset: 3 }), { origin: "replication", leaderEpoch: 3, now: NOW })
    expect(behind).toMatchObject({ ok: false, error: ErrorCode.CORRUPT_MESSAGE })
  })

  it("checks the checksums of replicated batches", () => {
    const bytes = batchOf(one, { partitionLeaderEpoch: 1 })
    bytes[bytes.length - 1]! ^= 1
    const result = openLog(new MemoryDisk()).append(bytes, { origin: "replication", leaderEpoch: 1, now: NOW })
    expect(result).toMatchObject({ ok: false, error: ErrorCode.CORRUPT_MESSAGE })
  })

  it("takes several batches of a coordinator at once", () => {
    const log = openLog(new MemoryDisk())
    const result = appended(
      log.append(
        Buffer.concat([
          batchOf(one),
          batchOf([
            ["a", "1"],
            ["b", "2"],
          ]),
        ]),
        COORDINATOR,
      ),
    )
    expect([result.baseOffset, result.lastOffset]).toEqual([0, 2])
  })
})

describe("segments", () => {
  const names = (disk: MemoryDisk) =>
    disk
      .list("/data/topic-0")
      .filter((name) => name.endsWith(".log"))
      .map((name) => Number(name.slice(0, 20)))

  it.each([
    ["size", { segmentBytes: 200 }, NOW, NOW, [0, 2, 4]],
    ["record time", { segmentMs: 1000 }, NOW, NOW + 1001, [0, 4]],
    ["index size", { segmentIndexBytes: 24, indexIntervalBytes: 1 }, NOW, NOW, [0, 2, 4]],
  ] as const)("roll by %s", (_, config, early, late, expected) => {
    const disk = new MemoryDisk()
    const log = openLog(disk, config)
    for (let index = 0; index < 5; index++)
      appended(log.append(batchOf([["k", "v", index < 4 ? early : late]]), CLIENT))
    expect(names(disk)).toEqual(expected)
    expect(contents(log)).toHaveLength(5)
  })

  it("retain by time, size and start offset, never above the high watermark, never compacted data", () => {
    const fill = (config: Partial<LogConfig>) => {
      const log = openLog(new MemoryDisk(), { segmentBytes: 200, messageTimestampAfterMaxMs: 1e12, ...config })
      for (let index = 0; index < 6; index++) appended(log.append(batchOf([["k", "v", NOW + index * 10]]), CLIENT))
      return log
    }
    const byTime = fill({ retentionMs: 100 })
    expect([byTime.retain(NOW + 110, 6), byTime.logStartOffset]).toEqual([0, 0])
    expect([byTime.retain(NOW + 111, 1), byTime.logStartOffset]).toEqual([0, 0])
    expect([byTime.retain(NOW + 111, 6), byTime.logStartOffset]).toEqual([1, 2])
    expect([byTime.retain(NOW + 1000, 6), byTime.logStartOffset, byTime.logEndOffset]).toEqual([2, 6, 6])
    expect(appended(byTime.append(batchOf([["k", "more"]]), CLIENT)).baseOffset).toBe(6)

    const bySize = fill({ retentionBytes: 250 })
    expect([bySize.retain(NOW, 6), bySize.logStartOffset]).toEqual([1, 2])

    const compacted = fill({ cleanupPolicy: ["compact"], retentionMs: 1, retentionBytes: 1 })
    expect(compacted.retain(NOW + 1e9, 6)).toBe(0)
    compacted.deleteRecordsBefore(5)
    expect([compacted.logStartOffset, compacted.segmentCount]).toEqual([5, 1])

    const both = fill({ cleanupPolicy: ["compact", "delete"], retentionMs: 1 })
    expect(both.retain(NOW + 1e9, 6)).toBe(3)
  })
})

describe("reading", () => {
  it("gives whole batches, the first one whatever its size", () => {
    const log = openLog(new MemoryDisk(), { indexIntervalBytes: 100 })
    for (let index = 0; index < 20; index++)
      appended(
        log.append(
          batchOf([
            ["k", `${index}`],
            ["k", "x".repeat(index * 50)],
          ]),
          CLIENT,
        ),
      )
    const read = (from: number, maxBytes: number, minOneBatch: boolean, endOffset = 40) => {
      const result = log.read(from, { maxBytes, minOneBatch, endOffset })
      return result === "OFFSET_OUT_OF_RANGE"
        ? result
        : result.bytes.length === 0
          ? []
          : [...new Set([result.startOffset])]
    }
    expect(read(31, 100, true)).toEqual([30])
    expect(read(31, 100, false)).toEqual([])
    expect(read(30, 100, true, 30)).toEqual([])
    expect(read(40, 100, true)).toEqual([])
    expect(read(41, 100, true)).toBe("OFFSET_OUT_OF_RANGE")
    log.deleteRecordsBefore(5)
    expect(read(4, 100, true)).toBe("OFFSET_OUT_OF_RANGE")
    expect(read(5, 100, true)).toEqual([4])
    for (let end = 6; end <= 40; end += 2) expect(contents(log, 5, end)).toHaveLength(end - 5)
  })

  it("takes memory for what it answers, not for how it finds that, and leaves to the reader what it took", () => {
    // One index entry: what is looked for lies many chunks of headers behind it.
    const log = openLog(new MemoryDisk(), { indexIntervalBytes: 1_000_000 })
    for (let index = 0; index < 300; index++) appended(log.append(batchOf([["k", "x".repeat(200)]]), CLIENT))
    const taken: number[] = []
    const take = (bytes: number) => {
      taken.push(bytes)
      return Buffer.alloc(bytes)
    }
    const startOf = (from: number) => {
      const read = log.read(from, { maxBytes: 1000, endOffset: 300, take })
      if (read === "OFFSET_OUT_OF_RANGE") throw new Error(`${from} is out of range`)
      return new RecordBatchView(read.bytes, 0)
    }
    const [late, early] = [startOf(250), startOf(30)]
    expect(taken).toEqual([1000, 1000])
    expect([late.baseOffset, early.baseOffset]).toEqual([250, 30])
  })
})
