/** The order of syncs, case by case: what a power cut must not take, when it takes all that is not synced. */
import { describe, expect, it } from "vitest"
import type { Log } from "../src/log.ts"
import { MemoryDisk } from "./memory-disk.ts"
import {
  appended,
  batchOf,
  CLIENT,
  COORDINATOR,
  contents,
  DIRECTORY,
  fromProducer,
  marker,
  NOW,
  openLog,
} from "./samples.ts"

/** Loses every name and every byte that no sync covered. */
const loseAll = (bound: number): number => (bound === 2 ? 1 : 0)
/** Loses the bytes, keeps the names. */
const loseBytes = (): number => 0

interface Setup {
  readonly disk: MemoryDisk
  readonly log: Log
  /** Loses the power and opens what is left, with the checkpoint as it was last saved. */
  readonly restart: (choose?: (bound: number) => number) => Log
  readonly checkpoint: () => void
}

function setup(): Setup {
  const disk = new MemoryDisk()
  let saved = { recoveryPoint: 0, logStartOffset: 0 }
  const log = openLog(disk, {}, { onCheckpointNeeded: (log) => save(log) })
  const save = (of: Log) => (saved = { recoveryPoint: of.recoveryPoint, logStartOffset: of.logStartOffset })
  const restart = (choose = loseAll) => {
    disk.powerCut(choose)
    return openLog(disk, {}, saved)
  }
  return { disk, log, restart, checkpoint: () => void save(log) }
}

const TXN = { transactional: true }
const aborted = [{ producerId: 1, firstOffset: 0 }]

function abortOne(log: Log): void {
  appended(log.append(fromProducer(1, 0, 0, 1, TXN), CLIENT))
  appended(log.append(marker(1, 0, false), COORDINATOR))
}

describe("a power cut does not take", () => {
  it.each([
    ["flushed, then rolled", (log: Log) => (log.flush(), log.roll(NOW))],
    ["rolled, then flushed", (log: Log) => (log.roll(NOW), log.flush())],
  ] as const)("the indexes of a segment that was %s", (_, act) => {
    const { log, restart, checkpoint } = setup()
    abortOne(log)
    act(log)
    // The next segment has to survive too, or the first would be recovered as the last one.
    appended(log.append(batchOf([["k", "v"]]), CLIENT))
    log.flush()
    checkpoint()
    const again = restart()
    expect([again.logEndOffset, again.abortedTransactions(0, 3)]).toEqual([3, aborted])
    expect(again.activeProducers()).toHaveLength(1)
    expect(again.offsetForTimestamp(NOW)?.offset).toBe(0)
  })

  it("a segment that a killed process began, once what is in it was flushed", () => {
    const { disk, log } = setup()
    appended(log.append(batchOf([["k", "before"]]), CLIENT))
    log.flush()
    log.roll(NOW)
    const saved = { recoveryPoint: log.recoveryPoint }
    appended(log.append(batchOf([["k", "not flushed"]]), CLIENT))
    disk.kill()
    const again = openLog(disk, {}, saved)
    appended(again.append(batchOf([["k", "flushed"]]), CLIENT))
    again.flush()
    disk.powerCut(loseAll)
    expect(contents(openLog(disk, {}, saved)).map(([, value]) => value)).toEqual(["before", "not flushed", "flushed"])
  })

  it("what a killed process had not flushed, once a log that flushes every message has recovered it", () => {
    const { disk, log } = setup()
    disk.syncDirectory("/data")
    log.flush()
    appended(log.append(fromProducer(1, 0, 0, 1), CLIENT))
    // Killed here: nobody was answered. The restarted broker acknowledges the retry as a duplicate.
    const flushing = { flushMessages: 1 }
    const recovered = openLog(disk, flushing, { recoveryPoint: 0, cleanShutdown: false })
    expect(recovered.append(fromProducer(1, 0, 0, 1), CLIENT)).toMatchObject({ ok: true, duplicate: true })
    disk.powerCut(loseAll)
    expect(openLog(disk, flushing, { recoveryPoint: 0, cleanShutdown: false }).logEndOffset).toBe(1)
  })

  it("what was appended before a flush that runs in the background, and promises no more than that", async () => {
    const { log, restart, checkpoint } = setup()
    appended(log.append(batchOf([["k", "a"]]), CLIENT))
    const flushed = log.flushLater()
    for (let turn = 0; turn < 3; turn++) await Promise.resolve()
    appended(log.append(batchOf([["k", "b"]]), CLIENT))
    await flushed
    expect(log.recoveryPoint).toBe(1)
    checkpoint()
    expect(contents(restart())).toEqual([[0, "a"]])
  })

  it("the producers of segments that retention deleted", () => {
    const { log, restart, checkpoint } = setup()
    appended(log.append(fromProducer(5, 0, 0), CLIENT))
    log.roll(NOW)
    expect(log.retain(NOW + 1e12, log.logEndOffset)).toBe(1)
    checkpoint()
    const again = restart()
    expect([again.logStartOffset, again.logEndOffset]).toEqual([1, 1])
    expect(appended(again.append(fromProducer(5, 0, 0), CLIENT))).toMatchObject({ duplicate: true, baseOffset: 0 })
  })

  it("the producers of segments that were deleted after a recovery without their snapshot", () => {
    const { disk, log, restart } = setup()
    appended(log.append(fromProducer(5, 0, 0), CLIENT))
    log.roll(NOW)
    appended(log.append(batchOf([["k", "v"]]), CLIENT))
    log.close(false)
    disk.remove(`${DIRECTORY}/00000000000000000001.snapshot`)
    const second = openLog(disk)
    second.deleteRecordsBefore(1)
    expect(second.segmentCount).toBe(1)
    second.close(false)
    const third = restart()
    expect(appended(third.append(fromProducer(5, 0, 0), CLIENT)).duplicate).toBe(true)
  })

  it("a log's first segment", () => {
    const { log, restart } = setup()
    appended(log.append(batchOf([["k", "v"]]), CLIENT))
    const again = restart(loseAll)
    expect([again.logStartOffset, again.logEndOffset]).toEqual([0, 0])
  })

  it("the leader epochs of flushed segments", () => {
    const { log, restart, checkpoint } = setup()
    appended(log.append(batchOf([["k", "v"]]), { ...CLIENT, leaderEpoch: 3 }))
    log.roll(NOW)
    appended(log.append(batchOf([["k", "v"]]), { ...CLIENT, leaderEpoch: 8 }))
    log.flush()
    checkpoint()
    const again = restart()
    expect([again.epochOf(0), again.epochOf(1), again.endOffsetForEpoch(5)]).toEqual([3, 8, { epoch: 3, endOffset: 1 }])
  })

  it("a truncation: what was cut does not come back under what was written after", () => {
    const { log, restart } = setup()
    for (const value of ["a", "b", "c"]) appended(log.append(batchOf([["k", value]]), CLIENT))
    log.flush()
    log.truncateTo(1)
    expect(log.recoveryPoint).toBe(1)
    appended(log.append(batchOf([["k", "x".repeat(30)]]), CLIENT))
    expect(contents(restart(loseBytes))).toEqual([[0, "a"]])
  })

  it("the order of deletions: no gap is left, whichever names survive", () => {
    for (let keep = 0; keep < 16; keep++) {
      const { log, restart } = setup()
      for (let index = 0; index < 4; index++) {
        appended(log.append(batchOf([["k", `${index}`]]), CLIENT))
        log.roll(NOW)
      }
      log.flush()
      log.retain(NOW + 1e12, 3)
      let turn = 0
      const again = restart((bound) => (bound === 2 ? (keep >> (turn++ % 4)) & 1 : 0))
      expect(contents(again).at(-1)).toEqual([3, "3"])
    }
  })
})
