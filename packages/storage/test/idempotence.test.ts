import { ErrorCode, errorName } from "@millrace/protocol/errors"
import { describe, expect, it } from "vitest"
import type { Log } from "../src/log.ts"
import { MemoryDisk } from "./memory-disk.ts"
import { appended, batchesIn, CLIENT, COORDINATOR, contents, fromProducer, marker, NOW, openLog } from "./samples.ts"

/** One line of a script: epoch, first sequence, count, and the answer: a base offset, "dup" of one, or an error. */
type Step = readonly [epoch: number, sequence: number, count: number, expected: number | `dup ${number}` | string]

const MAX = 2_147_483_647
const SCRIPTS: Record<string, readonly Step[]> = {
  "an exact retry gets its first offset": [
    [0, 0, 3, 0],
    [0, 3, 1, 3],
    [0, 0, 3, "dup 0"],
    [0, 3, 1, "dup 3"],
  ],
  "the window holds five batches": [
    [0, 0, 1, 0],
    [0, 1, 1, 1],
    [0, 2, 1, 2],
    [0, 3, 1, 3],
    [0, 4, 1, 4],
    [0, 0, 1, "dup 0"],
    [0, 5, 1, 5],
    [0, 1, 1, "dup 1"],
    [0, 0, 1, "OUT_OF_ORDER_SEQUENCE_NUMBER"],
  ],
  "a gap, a part or an overlap is out of order": [
    [0, 0, 3, 0],
    [0, 4, 1, "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    [0, 1, 2, "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    [0, 2, 2, "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    [0, 3, 1, 3],
  ],
  "sequences wrap to 0": [
    [0, MAX - 1, 2, 0],
    [0, 0, 1, 2],
    [0, MAX - 1, 2, "dup 0"],
    [0, 1, 1, 3],
  ],
  "sequences wrap inside of a batch": [
    [0, MAX - 1, 4, 0],
    [0, 2, 1, 4],
    [0, MAX - 1, 4, "dup 0"],
  ],
  "an unknown producer may start anywhere": [
    [3, 700, 1, 0],
    [3, 701, 1, 1],
  ],
  "a new epoch starts at 0": [
    [0, 0, 1, 0],
    [1, 1, 1, "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    [1, 0, 1, 1],
    [0, 1, 1, "INVALID_PRODUCER_EPOCH"],
    [0, 0, 1, "INVALID_PRODUCER_EPOCH"],
    [1, 0, 1, "dup 1"],
  ],
}

function answer(log: Log, bytes: Uint8Array, options = CLIENT): number | string {
  const result = log.append(bytes, options)
  if (!result.ok) return errorName(result.error)
  return result.duplicate ? `dup ${result.baseOffset}` : result.baseOffset
}

describe.each(["in memory", "reopened cleanly at each step", "killed at each step"] as const)(
  "23, 24, 26, 28: the window, %s",
  (how) => {
    it.each(Object.entries(SCRIPTS))("%s", (_, steps) => {
      const disk = new MemoryDisk()
      let log = openLog(disk)
      for (const [epoch, sequence, count, expected] of steps) {
        expect(answer(log, fromProducer(7, epoch, sequence, count))).toBe(expected)
        if (how === "in memory") continue
        const clean = how === "reopened cleanly at each step"
        log.close(clean)
        log = openLog(disk, {}, { cleanShutdown: clean })
      }
    })
  },
)

describe("producers", () => {
  it("23: answer a duplicate with the original append time", () => {
    const log = openLog(new MemoryDisk(), { messageTimestampType: "LogAppendTime" })
    appended(log.append(fromProducer(1, 0, 0), { ...CLIENT, now: NOW + 1 }))
    const again = appended(log.append(fromProducer(1, 0, 0), { ...CLIENT, now: NOW + 2 }))
    expect(again).toMatchObject({ duplicate: true, logAppendTime: NOW + 1, baseOffset: 0, lastOffset: 0 })
    expect(log.logEndOffset).toBe(1)
  })

  it("23: answer a duplicate with its greatest time although the producer gave it", () => {
    const log = openLog(new MemoryDisk())
    expect(appended(log.append(fromProducer(1, 0, 0), CLIENT)).logAppendTime).toBe(-1)
    const again = appended(log.append(fromProducer(1, 0, 0), CLIENT))
    expect(again).toMatchObject({ duplicate: true, logAppendTime: NOW })
  })

  it("25: that are not known begin anywhere, those that need verification at 0", () => {
    const log = openLog(new MemoryDisk())
    expect(answer(log, fromProducer(2, 3, 700), CLIENT)).toBe(0)
    expect(answer(log, fromProducer(1, 0, 5), { ...CLIENT, requiresVerification: true })).toBe(
      "OUT_OF_ORDER_SEQUENCE_NUMBER",
    )
    expect(answer(log, fromProducer(1, 0, 0), { ...CLIENT, requiresVerification: true })).toBe(1)
  })

  it("28: expire when idle, by the broker's time, never with an open transaction", () => {
    const log = openLog(new MemoryDisk(), { producerIdExpirationMs: 100 })
    appended(log.append(fromProducer(1, 0, 0), CLIENT))
    appended(log.append(fromProducer(2, 0, 0, 1, { transactional: true }), CLIENT))
    expect(log.expireProducers(NOW + 99)).toBe(0)
    expect(log.expireProducers(NOW + 100)).toBe(1)
    expect(log.activeProducers().map(({ producerId }) => producerId)).toEqual([2])
  })
})

const TXN = { transactional: true } as const

describe("transactions", () => {
  it("hold the last stable offset back until their marker is replicated", () => {
    const log = openLog(new MemoryDisk())
    appended(log.append(fromProducer(9, 0, 0), CLIENT))
    appended(log.append(fromProducer(1, 0, 0, 2, TXN), CLIENT))
    appended(log.append(fromProducer(2, 0, 0, 1, TXN), CLIENT))
    expect([log.firstUnstableOffset, log.lastStableOffset(4), log.lastStableOffset(1)]).toEqual([1, 1, 1])
    expect([log.hasOpenTransaction(1, 0), log.hasOpenTransaction(1, 1), log.hasOpenTransaction(9, 0)]).toEqual([
      ...[true, false, false],
    ])
    appended(log.append(marker(1, 0, true), COORDINATOR))
    expect([log.firstUnstableOffset, log.logEndOffset]).toEqual([3, 5])
    // Below the marker's offset the transaction still counts as open.
    expect([log.lastStableOffset(4), log.lastStableOffset(5)]).toEqual([1, 3])
    appended(log.append(marker(2, 0, false), COORDINATOR))
    expect([log.lastStableOffset(6), log.firstUnstableOffset]).toEqual([6, undefined])
  })

  it("are forgotten once replicated, though nobody reads the log", () => {
    const log = openLog(new MemoryDisk())
    for (let sequence = 0; sequence < 10; sequence++) {
      appended(log.append(fromProducer(1, 0, sequence, 1, TXN), CLIENT))
      appended(log.append(marker(1, 0, true), COORDINATOR))
    }
    // The tenth marker is at 19, the fifth at 9.
    log.highWatermarkAdvanced(10)
    expect([log.unreplicatedTransactions, log.lastStableOffset(11)]).toEqual([5, 10])
    log.highWatermarkAdvanced(20)
    expect(log.unreplicatedTransactions).toBe(0)
  })

  it("do not hold the last stable offset below the log start", () => {
    const log = openLog(new MemoryDisk())
    appended(log.append(fromProducer(1, 0, 0, 1, TXN), CLIENT))
    for (let sequence = 0; sequence < 3; sequence++) appended(log.append(fromProducer(9, 0, sequence), CLIENT))
    log.deleteRecordsBefore(2)
    expect([log.lastStableOffset(4), log.lastStableOffset(1)]).toEqual([2, 1])
  })

  it("32: list aborted ones that overlap a range, across segments and restarts", () => {
    const disk = new MemoryDisk()
    const config = { segmentBytes: 200 }
    let log = openLog(disk, config)
    appended(log.append(fromProducer(1, 0, 0, 1, TXN), CLIENT)) // 0
    appended(log.append(fromProducer(2, 0, 0, 1, TXN), CLIENT)) // 1
    appended(log.append(marker(1, 0, false), COORDINATOR)) // 2
    appended(log.append(fromProducer(1, 0, 1, 1, TXN), CLIENT)) // 3
    appended(log.append(marker(2, 0, true), COORDINATOR)) // 4
    appended(log.append(marker(1, 0, false), COORDINATOR)) // 5
    appended(log.append(fromProducer(3, 0, 0), CLIENT)) // 6
    const expectAborted = () => {
      const list = (from: number, to: number) =>
        log.abortedTransactions(from, to).map(({ producerId, firstOffset }) => [producerId, firstOffset])
      expect(list(0, 7)).toEqual([
        [1, 0],
        [1, 3],
      ])
      expect(list(3, 7)).toEqual([[1, 3]])
      expect(list(2, 3)).toEqual([[1, 0]])
      expect(list(0, 1)).toEqual([[1, 0]])
      expect(list(6, 7)).toEqual([])
      expect(log.segmentCount).toBeGreaterThan(2)
      expect(contents(log)).toHaveLength(4)
    }
    expectAborted()
    for (const clean of [true, false, true]) {
      log.close(clean)
      log = openLog(disk, config, { cleanShutdown: clean })
      expectAborted()
    }
  })

  it("survive a restart while open", () => {
    for (const clean of [true, false]) {
      const disk = new MemoryDisk()
      let log = openLog(disk)
      appended(log.append(fromProducer(9, 0, 0), CLIENT))
      appended(log.append(fromProducer(1, 4, 0, 1, TXN), CLIENT))
      log.close(clean)
      log = openLog(disk, {}, { cleanShutdown: clean })
      expect([log.firstUnstableOffset, log.hasOpenTransaction(1, 4)]).toEqual([1, true])
      appended(log.append(marker(1, 4, false, 3), COORDINATOR))
      expect(log.abortedTransactions(0, 3)).toEqual([{ producerId: 1, firstOffset: 1 }])
      expect(log.activeProducers().find(({ producerId }) => producerId === 1)).toMatchObject({
        epoch: 4,
        coordinatorEpoch: 3,
      })
    }
  })

  it.each([
    ["29: a plain batch inside a transaction", (log: Log) => answer(log, fromProducer(1, 1, 1)), "INVALID_TXN_STATE"],
    [
      "a marker of an older epoch",
      (log: Log) => answer(log, marker(1, 0, true), COORDINATOR),
      "INVALID_PRODUCER_EPOCH",
    ],
    [
      "a marker of an older coordinator",
      (log: Log) => (answer(log, marker(1, 1, true, 5), COORDINATOR), answer(log, marker(1, 1, true, 4), COORDINATOR)),
      "TRANSACTION_COORDINATOR_FENCED",
    ],
    [
      "a version 2 marker of the transaction's own epoch",
      (log: Log) => answer(log, marker(1, 1, true), { ...COORDINATOR, transactionVersion: 2 }),
      "INVALID_PRODUCER_EPOCH",
    ],
  ] as const)("%s is refused", (_, act, expected) => {
    const log = openLog(new MemoryDisk())
    appended(log.append(fromProducer(1, 1, 0, 1, TXN), CLIENT))
    expect(act(log)).toBe(expected)
  })

  it("27, 41: take a version 2 marker with a newer epoch, and its retry; sequences begin again", () => {
    const log = openLog(new MemoryDisk())
    appended(log.append(fromProducer(1, 1, 0, 1, TXN), CLIENT))
    const options = { ...COORDINATOR, transactionVersion: 2 }
    expect(answer(log, marker(1, 2, false), options)).toBe(1)
    expect(answer(log, marker(1, 2, false), options)).toBe(2)
    expect(log.abortedTransactions(0, 3)).toHaveLength(1)
    // The bumped epoch forgot the window: a reused sequence is new data, not a duplicate.
    expect(answer(log, fromProducer(1, 1, 0, 1, TXN))).toBe("INVALID_PRODUCER_EPOCH")
    expect(answer(log, fromProducer(1, 2, 0, 1, TXN))).toBe(3)
  })

  it("33: keep markers as control batches that take an offset", () => {
    const log = openLog(new MemoryDisk())
    appended(log.append(fromProducer(1, 0, 0, 1, TXN), CLIENT))
    const result = appended(log.append(marker(1, 0, true), COORDINATOR))
    expect([result.baseOffset, result.lastOffset]).toEqual([1, 1])
    expect(batchesIn(log).map(({ isControl }) => isControl)).toEqual([false, true])
    expect(ErrorCode.NONE).toBe(0)
  })
})
