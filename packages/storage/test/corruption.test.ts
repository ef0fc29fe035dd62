import { describe, expect, it } from "vitest"
import { CorruptLogError } from "../src/faults.ts"
import type { LogConfig } from "../src/log-config.ts"
import type { RecoveryReport } from "../src/recovery.ts"
import { MemoryDisk } from "./memory-disk.ts"
import { appended, batchOf, CLIENT, contents, DIRECTORY, fromProducer, openLog } from "./samples.ts"

const FIRST = `${DIRECTORY}/00000000000000000000.log`
const CONFIG: Partial<LogConfig> = { indexIntervalBytes: 200 }
const BATCHES = 10

/** A log of ten batches of two records, closed as said; answers the byte each batch starts at. */
function prepared(clean: boolean, config: Partial<LogConfig> = CONFIG): { disk: MemoryDisk; starts: number[] } {
  const disk = new MemoryDisk()
  const log = openLog(disk, config)
  const starts: number[] = []
  let at = 0
  for (let index = 0; index < BATCHES; index++) {
    const bytes = batchOf([
      ["k", `${index}a`],
      ["k", `${index}b${"z".repeat(80)}`],
    ])
    starts.push(at)
    at += bytes.length
    appended(log.append(bytes, CLIENT))
  }
  starts.push(at)
  log.close(clean)
  return { disk, starts }
}

function cut(disk: MemoryDisk, path: string, size: number): void {
  const file = disk.open(path)
  file.truncate(size)
  file.close()
}

function overwrite(disk: MemoryDisk, path: string, position: number, bytes: Uint8Array): void {
  const file = disk.open(path)
  file.write([bytes], position)
  file.close()
}

describe("a flipped byte", () => {
  it.each([
    ["in the middle", 5],
    ["in the last batch", BATCHES - 1],
  ])("%s stops an unclean start with its file and position, and cuts nothing", (_, batch) => {
    const { disk, starts } = prepared(false)
    const size = disk.readFile(FIRST)!.length
    for (const at of [8, 10, 11, 16, 17, 22, 30, 65, starts[batch + 1]! - starts[batch]! - 1]) {
      const position = starts[batch]! + at
      disk.corrupt(FIRST, position)
      const reopen = () => openLog(disk, CONFIG, { onRecovered: () => expect.unreachable() })
      expect(reopen, `byte ${at}`).toThrow(CorruptLogError)
      expect(reopen, `byte ${at}`).toThrow(`${FIRST} is corrupt at byte ${starts[batch]}`)
      expect(disk.readFile(FIRST)!.length).toBe(size)
      disk.corrupt(FIRST, position)
    }
    expect(contents(openLog(disk, CONFIG))).toHaveLength(2 * BATCHES)
  })

  it("is found by the first read after a clean start, once per place, and what lies before it is served", () => {
    const { disk, starts } = prepared(true)
    disk.corrupt(FIRST, starts[4]! + 70)
    const log = openLog(disk, CONFIG, { cleanShutdown: true })
    const all = { maxBytes: 1 << 20, minOneBatch: true, endOffset: log.logEndOffset }
    const good = log.read(0, all)
    if (good === "OFFSET_OUT_OF_RANGE") throw new Error(good)
    expect(good.bytes.length).toBe(starts[4])
    expect(() => log.read(8, all)).toThrow(`${FIRST} is corrupt at byte ${starts[4]}`)
    expect(contents(log, 10)).toHaveLength(2 * (BATCHES - 5))
    expect(() => log.read(9, all)).toThrow(CorruptLogError)
  })

  it("in the tail of a cleanly closed log stops the start", () => {
    const { disk, starts } = prepared(true)
    disk.corrupt(FIRST, starts[9]! + 70)
    expect(() => openLog(disk, CONFIG, { cleanShutdown: true })).toThrow(/closed cleanly/)
  })

  it("below the recovery point is an error even where it looks torn", () => {
    const { disk, starts } = prepared(false)
    cut(disk, FIRST, starts[7]! + 20)
    expect(() => openLog(disk, CONFIG, { recoveryPoint: 16 })).toThrow(/offsets below 16 were flushed/)
    expect(openLog(disk, CONFIG, { recoveryPoint: 14 }).logEndOffset).toBe(14)
  })
})

describe("a torn tail", () => {
  it.each([
    ["inside of a header", 20],
    ["inside of the records", 70],
    ["at its length", 10],
  ])("%s is cut and reported", (_, extra) => {
    const { disk, starts } = prepared(false)
    const position = starts[8]!
    cut(disk, FIRST, position + extra)
    const reports: RecoveryReport[] = []
    const log = openLog(disk, CONFIG, { onRecovered: (report) => reports.push(report) })
    expect(log.logEndOffset).toBe(16)
    expect(reports).toEqual([
      expect.objectContaining({ path: FIRST, position, bytesRemoved: extra, endOffset: 16, segmentsRemoved: 0 }),
    ])
    expect(appended(log.append(batchOf([["k", "next"]]), CLIENT)).baseOffset).toBe(16)
    log.close(true)
    expect(contents(openLog(disk, CONFIG, { cleanShutdown: true }))).toHaveLength(17)
  })

  it("of zeros, as lost sectors read, is cut with what follows it", () => {
    const { disk, starts } = prepared(false)
    overwrite(disk, FIRST, starts[3]!, new Uint8Array(starts[4]! - starts[3]!))
    const reports: RecoveryReport[] = []
    const log = openLog(disk, CONFIG, { onRecovered: (report) => reports.push(report) })
    expect(log.logEndOffset).toBe(6)
    expect(reports[0]).toMatchObject({ position: starts[3], bytesRemoved: starts[10]! - starts[3]! })
  })

  it.each([
    ["inside of a batch", 30],
    ["between batches", 0],
  ])("of an earlier segment, cut %s, takes the later ones along", (_, left) => {
    const { disk, starts } = prepared(false, { segmentBytes: 500 })
    const names = disk.list(DIRECTORY).filter((name) => name.endsWith(".log"))
    expect(names.length).toBeGreaterThan(3)
    const path = `${DIRECTORY}/${names[1]}`
    cut(disk, path, starts[1]! + left)
    const reports: RecoveryReport[] = []
    const log = openLog(disk, { segmentBytes: 500 }, { onRecovered: (report) => reports.push(report) })
    expect(reports[0]).toMatchObject({ path, segmentsRemoved: names.length - 2, endOffset: log.logEndOffset })
    expect(log.segmentCount).toBe(2)
    expect(contents(log)).toHaveLength(log.logEndOffset)
  })
})

describe("indexes and snapshots", () => {
  it.each([".index", ".timeindex", ".snapshot"])("that are missing or damaged (%s) are made again", (suffix) => {
    for (const harm of ["remove", "cut", "garble"] as const) {
      const { disk } = prepared(true, { ...CONFIG, segmentBytes: 700 })
      for (const name of disk.list(DIRECTORY).filter((name) => name.endsWith(suffix))) {
        const path = `${DIRECTORY}/${name}`
        const size = disk.readFile(path)!.length
        if (harm === "remove") disk.remove(path)
        else if (harm === "cut") cut(disk, path, Math.max(size - 5, 0))
        else if (size > 3) disk.corrupt(path, size - 3)
      }
      const log = openLog(disk, { ...CONFIG, segmentBytes: 700 }, { cleanShutdown: true })
      if (harm === "garble" && suffix === ".timeindex") continue
      expect(contents(log)).toHaveLength(2 * BATCHES)
      for (let offset = 0; offset < 2 * BATCHES; offset++)
        expect(contents(log, offset)).toHaveLength(2 * BATCHES - offset)
    }
  })

  it("of a torn snapshot cost nothing but reading the log", () => {
    const disk = new MemoryDisk()
    let log = openLog(disk)
    for (let sequence = 0; sequence < 5; sequence++) appended(log.append(fromProducer(3, 0, sequence), CLIENT))
    // More than is read whole at a start.
    for (let n = 0; n < 6; n++) appended(log.append(batchOf([["k", "x".repeat(50_000)]]), CLIENT))
    log.close(true)
    cut(disk, `${DIRECTORY}/00000000000000000011.snapshot`, 30)
    log = openLog(disk, {}, { cleanShutdown: true })
    expect(appended(log.append(fromProducer(3, 0, 1), CLIENT))).toMatchObject({ duplicate: true, baseOffset: 1 })
  })
})
