/** A process that dies, or a power that fails, before each single change that a round of cleaning makes to the disk. */
import { describe, expect, test } from "vitest"
import { Log } from "../../src/log.ts"
import { logConfig } from "../../src/log-config.ts"
import { scanBatches } from "../../src/scan.ts"
import type { Segment } from "../../src/segment.ts"
import { Died, DyingDisk } from "../dying-disk.ts"
import { MemoryDisk } from "../memory-disk.ts"
import { appended, batchOf, CLIENT, COORDINATOR, DIRECTORY, fromProducer, marker, NOW } from "../samples.ts"
import { clean, COMPACT } from "./cleaning.ts"
import { liveOf, readCommitted, tableOf } from "./reading.ts"

const CONFIG = logConfig({ ...COMPACT, segmentBytes: 900, indexIntervalBytes: 100 })

interface Saved {
  recoveryPoint: number
  logStartOffset: number
}

/** Some groups of segments, with aborted and committed transactions across them, tombstones and duplicates. */
function filled(disk: MemoryDisk) {
  const dying = new DyingDisk(disk)
  const saved: Saved = { recoveryPoint: 0, logStartOffset: 0 }
  const open = () =>
    Log.open(dying, DIRECTORY, CONFIG, {
      now: NOW,
      cleanShutdown: false,
      ...saved,
      onCheckpointNeeded: (log) => {
        // The checkpoint file: one more change, after which it holds.
        dying.syncDirectory("/data")
        Object.assign(saved, { recoveryPoint: log.recoveryPoint, logStartOffset: log.logStartOffset })
      },
      onRecovered: (report) => {
        throw new Error(`recovery cut something: ${report.reason}`)
      },
    })
  disk.makeDirectory(DIRECTORY)
  const log = open()
  log.flush()
  const txn = { transactional: true }
  for (let round = 0; round < 9; round++) {
    appended(
      log.append(
        batchOf([
          [`k${round % 4}`, `v${round}`],
          [`only${round}`, "1"],
        ]),
        CLIENT,
      ),
    )
    appended(log.append(fromProducer(1, 0, round, 1, txn), CLIENT))
    appended(log.append(batchOf([[`gone${round}`, round % 2 === 0 ? "1" : null]]), CLIENT))
    if (round % 3 === 2) {
      // Cleaning leaves a gap at the segment's end.
      appended(log.append(batchOf([["dup", String(round)]]), CLIENT))
      log.roll(NOW)
      appended(log.append(marker(1, 0, round === 5), COORDINATOR))
    }
  }
  appended(log.append(fromProducer(1, 0, 9, 1), CLIENT))
  log.roll(NOW)
  appended(log.append(batchOf([["z", "0"]]), CLIENT))
  return { dying, log, saved, open }
}

const rounds = [
  { name: "a first round", before: 0 },
  { name: "a second round, that merges cleaned segments", before: 1 },
]

/** Choices of what a power cut spares, different for each crash. */
function chooser(seed: number): (bound: number) => number {
  let state = seed + 1
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % bound
  }
}

async function crashAt(change: number, crash: "kill" | "power", seed: number, before: number): Promise<boolean> {
  const disk = new MemoryDisk()
  const { dying, log, open } = filled(disk)
  for (let round = 0; round < before; round++) {
    await clean(log)
    appended(log.append(batchOf([[`k${round}`, "again"]]), CLIENT))
    log.roll(NOW)
    appended(log.append(batchOf([["z", "1"]]), CLIENT))
  }
  // What is not flushed may go with the power, and is not what this is about.
  log.flush()
  const expected = liveOf(tableOf(readCommitted(log, 0)))
  const producers = log
    .activeProducers()
    .map(({ producerId, epoch, lastSequence }) => ({ producerId, epoch, lastSequence }))
  dying.dieAfter(change)
  const isDead = await clean(log, { now: NOW + 5 }).then(
    () => false,
    (cause: unknown) => {
      if (!(cause instanceof Died)) throw cause
      return true
    },
  )
  dying.dieAfter(Infinity)
  if (crash === "power") disk.powerCut(chooser(seed))
  else disk.kill()
  const again = open()
  expect(liveOf(tableOf(readCommitted(again, 0)))).toEqual(expected)
  // No segment is left of those that the cleaned one replaces: it would show its records a second time.
  for (const [index, segment] of again.segments.slice(1).entries())
    expect(segment.baseOffset).toBeGreaterThan(lastOffsetOf(again.segments[index]!))
  expect(again.logEndOffset).toBe(log.logEndOffset)
  expect(again.logStartOffset).toBe(0)
  expect(
    again.activeProducers().map(({ producerId, epoch, lastSequence }) => ({ producerId, epoch, lastSequence })),
  ).toEqual(producers)
  expect(disk.list(DIRECTORY).filter((name) => /cleaned|swap/.test(name))).toEqual([])
  // And a round from here on ends where one without the crash would have.
  await clean(again, { now: NOW + 5 })
  expect(liveOf(tableOf(readCommitted(again, 0)))).toEqual(expected)
  expect(again.segments.every((segment) => segment.path.endsWith(".log"))).toBe(true)
  return isDead
}

/** Of the batches in its file, whatever the log takes for its end. */
function lastOffsetOf({ file, baseOffset }: Segment): number {
  let last = baseOffset - 1
  scanBatches(file, 0, file.size(), false, (batch) => {
    last = batch.lastOffset
  })
  return last
}

describe.each(rounds)("a crash in $name", ({ before }) => {
  test("of the process", async () => {
    let change = 0
    while (await crashAt(change, "kill", 0, before)) change++
    expect(change).toBeGreaterThan(20)
  })

  test("of the power", async () => {
    for (let seed = 0; seed < 6; seed++) {
      let change = 0
      while (await crashAt(change, "power", seed * 1000 + change, before)) change++
      expect(change).toBeGreaterThan(20)
    }
  })
})
