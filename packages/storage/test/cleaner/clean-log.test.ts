/** One rule of compaction a test: keys, tombstones, transactions, producers. Numbers are rows of reference/broker.md. */
import { NO_PRODUCER_ID } from "@millrace/protocol/record/batch"
import { RecordBatchBuilder } from "@millrace/protocol/record/builder"
import { RecordReader } from "@millrace/protocol/record/record"
import { describe, expect, test } from "vitest"
import { MemoryDisk } from "../memory-disk.ts"
import {
  appended,
  batchOf,
  bytesOf,
  CLIENT,
  contents,
  COORDINATOR,
  DIRECTORY,
  fromProducer,
  marker,
  NOW,
  openLog,
  type Sample,
} from "../samples.ts"
import { clean, COMPACT } from "./cleaning.ts"
import { allBatches, compacted, put, records } from "./compacted.ts"

const RETENTION = COMPACT.deleteRetentionMs

describe("records", () => {
  test("70: of each key the latest record stays, at its offset, with its time", async () => {
    const log = compacted()
    put(log, ["a", "1", NOW + 1], ["b", "1", NOW + 2], ["a", "2", NOW + 3])
    put(log, ["b", "2", NOW + 4], ["c", "1", NOW + 5])
    log.roll(NOW)
    put(log, ["z", "0"])
    const { endOffset } = await clean(log)
    expect(endOffset).toBe(5)
    expect(records(log)).toEqual([
      [2, "a", "2", NOW + 3],
      [3, "b", "2", NOW + 4],
      [4, "c", "1", NOW + 5],
      [5, "z", "0", NOW],
    ])
  })

  test("70: a batch keeps its range of offsets, and its greatest time is that of what is left", async () => {
    const log = compacted()
    put(log, ["a", "1", NOW + 9], ["b", "1", NOW + 2], ["a", "2", NOW + 3])
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    await clean(log)
    const [first] = allBatches(log)
    expect(first).toMatchObject({ baseOffset: 0, lastOffset: 2, recordCount: 2, maxTimestamp: NOW + 3 })
    expect(first!.isValidCrc()).toBe(true)
  })

  test("67: the active segment is never cleaned", async () => {
    const log = compacted()
    put(log, ["a", "1"])
    put(log, ["a", "2"])
    expect((await clean(log)).endOffset).toBe(0)
    expect(contents(log)).toEqual([
      [0, "1"],
      [1, "2"],
    ])
  })

  test("67: a later value in the active segment does not remove an earlier one yet", async () => {
    const log = compacted()
    put(log, ["a", "1"])
    log.roll(NOW)
    put(log, ["a", "2"])
    await clean(log)
    expect(contents(log)).toEqual([
      [0, "1"],
      [1, "2"],
    ])
  })

  test("records without a key, left from before the topic was compacted, go", async () => {
    const disk = new MemoryDisk()
    const before = openLog(disk, { cleanupPolicy: ["delete"] })
    put(before, [null, "x"], ["a", "1"])
    put(before, ["b", "1"])
    before.roll(NOW)
    before.config = { ...before.config, ...COMPACT }
    put(before, ["z", "0"])
    await clean(before)
    expect(contents(before).map(([, value]) => value)).toEqual(["1", "1", "0"])
  })

  test.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)("a %s batch keeps its codec", async (compression) => {
    const log = compacted()
    const samples: Sample[] = Array.from({ length: 50 }, (_, index) => [`k${index % 20}`, "v".repeat(index)])
    appended(log.append(batchOf(samples, { compression }), CLIENT))
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    await clean(log)
    const [first] = allBatches(log)
    expect(first!.compression).toBe(compression)
    expect(records(log).slice(0, 20)).toEqual(
      samples.slice(30).map(([key, value], index) => [index + 30, key, value, NOW]),
    )
  })

  test("headers survive byte for byte, also in a batch that is written anew", async () => {
    const log = compacted()
    const builder = new RecordBatchBuilder()
    const headers = [
      { key: "h", value: "1" },
      { key: "", value: null },
    ]
    builder.append(NOW, bytesOf("a"), bytesOf("old"))
    builder.append(NOW, bytesOf("a"), null, headers)
    appended(log.append(builder.build(), CLIENT))
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    await clean(log)
    const reader = new RecordReader(allBatches(log)[0]!)
    reader.next()
    expect(reader.headers().map(({ key, value }) => [key, value && Buffer.from(value).toString()])).toEqual([
      ["h", "1"],
      ["", null],
    ])
  })

  test("a LogAppendTime batch keeps its time and type", async () => {
    const log = compacted({ messageTimestampType: "LogAppendTime" })
    put(log, ["a", "1"], ["a", null], ["b", "1"])
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    await clean(log, { now: NOW + 5 })
    const [first] = allBatches(log)
    expect(first).toMatchObject({
      timestampType: "LogAppendTime",
      maxTimestamp: NOW,
      deleteHorizon: NOW + 5 + RETENTION,
    })
    expect(records(log)[0]).toEqual([1, "a", null, NOW])
  })

  test("a batch whose records all stay is not touched, nor is a segment of such batches", async () => {
    const disk = new MemoryDisk()
    const log = compacted({}, disk)
    put(log, ["a", "1"], ["b", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    const [segment] = log.segments
    const before = disk.readFile(`${DIRECTORY}/00000000000000000000.log`)
    await clean(log)
    expect(log.segments[0]).toBe(segment)
    expect(disk.readFile(`${DIRECTORY}/00000000000000000000.log`)).toEqual(before)
    expect(disk.list(DIRECTORY).filter((name) => /cleaned|swap/.test(name))).toEqual([])
  })
})

describe("tombstones (KIP-534)", () => {
  async function tombstoned() {
    const log = compacted()
    put(log, ["a", "1", NOW + 1], ["b", "1", NOW + 2])
    put(log, ["a", null, NOW + 3], ["c", "1", NOW + 4])
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    const { endOffset } = await clean(log, { now: NOW })
    return { log, endOffset }
  }

  test("68: the first pass keeps them and sets the horizon; their times stay what they were", async () => {
    const { log } = await tombstoned()
    const second = allBatches(log)[1]!
    expect(second.attributes & 0x40).toBe(0x40)
    expect(second.baseTimestamp).toBe(NOW + RETENTION)
    expect(records(log).slice(0, 3)).toEqual([
      [1, "b", "1", NOW + 2],
      [2, "a", null, NOW + 3],
      [3, "c", "1", NOW + 4],
    ])
  })

  test("68: batches without a tombstone get no horizon", async () => {
    const { log } = await tombstoned()
    expect(allBatches(log).map(({ deleteHorizon }) => deleteHorizon)).toEqual([
      undefined,
      NOW + RETENTION,
      undefined,
      undefined,
    ])
  })

  test.each([
    ["before", RETENTION - 1, true],
    ["at", RETENTION, false],
    ["after", RETENTION + 1, false],
  ])("68: a pass %s the horizon", async (_, elapsed, stays) => {
    const { log, endOffset } = await tombstoned()
    log.roll(NOW)
    put(log, ["y", "0"])
    await clean(log, { now: NOW + elapsed, checkpoint: endOffset })
    expect(records(log).some(([, key]) => key === "a")).toBe(stays)
  })

  test("68: a later pass does not move the horizon", async () => {
    const { log, endOffset } = await tombstoned()
    log.roll(NOW)
    put(log, ["y", "0"])
    await clean(log, { now: NOW + 500, checkpoint: endOffset })
    expect(allBatches(log)[1]!.deleteHorizon).toBe(NOW + RETENTION)
  })

  test("68: a tombstone in a partly cleaned segment gets no horizon while its keys are not in the map", async () => {
    const log = compacted()
    for (let key = 0; key < 400; key++) put(log, [`k${key}`, "1"])
    put(log, ["k0", null])
    log.roll(NOW)
    put(log, ["z", "0"])
    const { endOffset } = await clean(log, { dedupeBytes: 256 * 24 })
    expect(endOffset).toBe(Math.floor(256 * 0.9))
    expect(allBatches(log).every(({ deleteHorizon }) => deleteHorizon === undefined)).toBe(true)
    expect(records(log)).toHaveLength(402)
  })
})

describe("transactions", () => {
  const txn = (producerId: number, sequence: number, count = 1, epoch = 0) =>
    fromProducer(producerId, epoch, sequence, count, { transactional: true })

  test("69: aborted data goes though no later record has its key; the marker and its index entry stay", async () => {
    const log = compacted()
    put(log, ["k", "committed"])
    appended(log.append(txn(1, 0, 2), CLIENT))
    appended(log.append(marker(1, 0, false), COORDINATOR))
    appended(log.append(fromProducer(1, 0, 2, 1, { transactional: true }), CLIENT))
    appended(log.append(marker(1, 0, true), COORDINATOR))
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    await clean(log)
    expect(contents(log).map(([, value]) => value)).toEqual(["1/2", "1", "0"])
    expect(allBatches(log).filter(({ isControl }) => isControl)).toHaveLength(2)
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual([{ producerId: 1, firstOffset: 1 }])
  })

  test("69: an aborted value does not push an older committed one out", async () => {
    const log = compacted()
    put(log, ["k", "committed"])
    appended(log.append(txn(1, 0), CLIENT))
    appended(log.append(marker(1, 0, false), COORDINATOR))
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    await clean(log)
    expect(contents(log).map(([, value]) => value)).toEqual(["committed", "1", "0"])
  })

  test("69: a marker goes two passes after its data: one finds no data, a later one is past the horizon", async () => {
    const log = compacted()
    appended(log.append(txn(1, 0), CLIENT))
    appended(log.append(marker(1, 0, false), COORDINATOR))
    // The producer's last batch lies elsewhere: this one need not stay for its sequence.
    appended(log.append(fromProducer(1, 0, 1, 1), CLIENT))
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    const markers = () => allBatches(log).filter(({ isControl }) => isControl)
    let { endOffset } = await clean(log, { now: NOW })
    expect(markers()[0]!.deleteHorizon).toBeUndefined()
    const again = async (now: number) => {
      log.roll(now)
      put(log, ["z", "0"])
      ;({ endOffset } = await clean(log, { now, checkpoint: endOffset }))
    }
    await again(NOW + 10)
    expect(markers()[0]!.deleteHorizon).toBe(NOW + 10 + RETENTION)
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual([])
    await again(NOW + 10 + RETENTION - 1)
    expect(markers()).toHaveLength(1)
    await again(NOW + 10 + RETENTION)
    expect(markers()).toHaveLength(0)
  })

  test("69: a commit marker stays as long as a record of its transaction does, whatever the time", async () => {
    const log = compacted()
    appended(log.append(txn(1, 0), CLIENT))
    appended(log.append(marker(1, 0, true), COORDINATOR))
    put(log, ["end", "1"])
    log.roll(NOW)
    put(log, ["z", "0"])
    let { endOffset } = await clean(log, { now: NOW })
    for (const now of [NOW + 10 * RETENTION, NOW + 20 * RETENTION]) {
      log.roll(now)
      put(log, ["y", "0"])
      ;({ endOffset } = await clean(log, { now, checkpoint: endOffset }))
    }
    expect(allBatches(log).filter(({ isControl }) => isControl)).toHaveLength(1)
  })

  test("67: nothing from the first open transaction on is cleaned", async () => {
    const log = compacted()
    put(log, ["k", "1"])
    put(log, ["k", "2"])
    log.roll(NOW)
    appended(log.append(txn(1, 0), CLIENT))
    put(log, ["k", "3"])
    log.roll(NOW)
    put(log, ["z", "0"])
    expect((await clean(log)).endOffset).toBe(2)
    expect(contents(log).map(([, value]) => value)).toEqual(["2", "1/0", "3", "0"])
  })

  test("67: nothing above the high watermark is cleaned", async () => {
    const log = compacted()
    put(log, ["k", "1"])
    log.roll(NOW)
    put(log, ["k", "2"])
    log.roll(NOW)
    put(log, ["z", "0"])
    expect((await clean(log, { highWatermark: 1 })).endOffset).toBe(1)
    expect(contents(log).map(([, value]) => value)).toEqual(["1", "2", "0"])
  })

  test("a transaction whose marker lies behind the cleaned part is known as aborted there", async () => {
    const log = compacted()
    appended(log.append(txn(1, 0), CLIENT))
    put(log, ["end", "1"])
    log.roll(NOW)
    appended(log.append(marker(1, 0, false), COORDINATOR))
    // The producer's last batch, so that nothing else keeps the aborted one.
    appended(log.append(fromProducer(1, 0, 1, 1), CLIENT))
    await clean(log)
    expect(contents(log).map(([, value]) => value)).toEqual(["1", "1/1"])
    expect(log.abortedTransactions(0, log.logEndOffset)).toEqual([{ producerId: 1, firstOffset: 0 }])
  })
})

describe("producers", () => {
  test("30: the last batch of a producer stays without records, with its sequence, and duplicates are still found", async () => {
    const disk = new MemoryDisk()
    const log = compacted({}, disk)
    appended(log.append(fromProducer(7, 3, 0, 2), CLIENT))
    appended(log.append(fromProducer(7, 3, 2, 2), CLIENT))
    put(log, ["k", "later"])
    log.roll(NOW)
    put(log, ["z", "0"])
    await clean(log)
    const batches = allBatches(log)
    expect(batches[0]).toMatchObject({
      baseOffset: 2,
      lastOffset: 3,
      recordCount: 0,
      producerId: 7,
      producerEpoch: 3,
      baseSequence: 2,
      lastSequence: 3,
      compression: "none",
    })
    log.close(false)
    for (const name of disk.list(DIRECTORY)) if (name.endsWith(".snapshot")) disk.remove(`${DIRECTORY}/${name}`)
    const again = openLog(disk, COMPACT, { recoveryPoint: log.recoveryPoint })
    const repeated = appended(again.append(fromProducer(7, 3, 2, 2), CLIENT))
    expect(repeated).toMatchObject({ duplicate: true, baseOffset: 2 })
    expect(appended(again.append(fromProducer(7, 3, 4, 1), CLIENT)).duplicate).toBe(false)
  })

  test("30: an expired producer's empty batch goes", async () => {
    const log = compacted({ producerIdExpirationMs: 10 })
    appended(log.append(fromProducer(7, 0, 0), CLIENT))
    put(log, ["k", "later"])
    log.roll(NOW)
    put(log, ["z", "0"])
    const { endOffset } = await clean(log)
    expect(allBatches(log)[0]!.producerId).toBe(7)
    expect(log.expireProducers(NOW + 10)).toBe(1)
    log.roll(NOW)
    put(log, ["y", "0"])
    await clean(log, { checkpoint: endOffset })
    expect(allBatches(log).map(({ producerId }) => producerId)).toEqual(allBatches(log).map(() => NO_PRODUCER_ID))
  })

  test("the marker that is a producer's last trace stays whole and fences older epochs after a replay", async () => {
    const disk = new MemoryDisk()
    const log = compacted({}, disk)
    appended(log.append(fromProducer(1, 0, 0, 1, { transactional: true }), CLIENT))
    appended(log.append(marker(1, 1, true), COORDINATOR))
    put(log, ["k", "later"])
    log.roll(NOW)
    put(log, ["z", "0"])
    let { endOffset } = await clean(log)
    for (const now of [NOW + 1, NOW + 2 * RETENTION, NOW + 4 * RETENTION]) {
      log.roll(now)
      put(log, ["z", "0"])
      ;({ endOffset } = await clean(log, { now, checkpoint: endOffset }))
    }
    log.close(false)
    for (const name of disk.list(DIRECTORY)) if (name.endsWith(".snapshot")) disk.remove(`${DIRECTORY}/${name}`)
    const again = openLog(disk, COMPACT, { recoveryPoint: log.recoveryPoint })
    expect(again.append(fromProducer(1, 0, 1, 1), CLIENT)).toMatchObject({ ok: false })
    expect(appended(again.append(fromProducer(1, 1, 0, 1), CLIENT)).ok).toBe(true)
  })
})
