/** A log against an array: whatever is done to it, it holds what the array holds. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Log } from "../src/log.ts"
import { type LogConfig } from "../src/log-config.ts"
import { OpenSegments } from "../src/open-segments.ts"
import type { RecoveryReport } from "../src/recovery.ts"
import { MemoryDisk } from "./memory-disk.ts"
import { appended, batchOf, CLIENT, contents, openLog, type Sample } from "./samples.ts"

const CONFIG: Partial<LogConfig> = {
  segmentBytes: 2000,
  indexIntervalBytes: 150,
  retentionMs: -1,
  messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
}

type Command =
  | { readonly do: "append"; readonly records: number; readonly bytes: number; readonly codec: "none" | "lz4" | "gzip" }
  | { readonly do: "flush" | "roll" | "closeClean" | "kill" | "checkpoint" }
  | { readonly do: "truncate" | "deleteRecords" | "read" | "time"; readonly where: number }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      records: fc.integer({ min: 1, max: 6 }),
      bytes: fc.integer({ min: 0, max: 300 }),
      codec: fc.constantFrom("none" as const, "lz4" as const, "gzip" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("flush", "roll", "closeClean", "kill", "checkpoint" as const),
    }) as fc.Arbitrary<Command>,
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "truncate" as const,
        "deleteRecords" as const,
        "read" as const,
        "read" as const,
        "time" as const,
      ),
      where: fc.nat({ max: 1_000_000 }),
    }),
  },
)

/** The model: batches as arrays of [value, timestamp], the first offset of each, where the log starts. */
class Model {
  batches: { base: number; records: { value: string; timestamp: number }[] }[] = []
  start = 0
  counter = 0

  get end(): number {
    const last = this.batches.at(-1)
    return last === undefined ? this.cutEnd : last.base + last.records.length
  }
  cutEnd = 0

  get records(): [number, string][] {
    return this.batches
      .flatMap(({ base, records }) => records.map(({ value }, index): [number, string] => [base + index, value]))
      .filter(([offset]) => offset >= this.start)
  }

  truncate(offset: number): void {
    const cut = this.batches.find(({ base, records }) => base + records.length > offset)
    this.batches = this.batches.filter(({ base, records }) => base + records.length <= offset)
    this.cutEnd = cut === undefined ? offset : Math.min(cut.base, offset)
    this.start = Math.min(this.start, this.end)
  }
}

describe("a log", () => {
  it("holds what was appended, through rolls, cuts, deletions, clean and unclean starts", () => {
    fc.assert(
      fc.property(
        fc.array(command, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 2, max: 8 }),
        (commands, openMax) => {
          const disk = new MemoryDisk()
          const model = new Model()
          const reports: RecoveryReport[] = []
          let saved = { recoveryPoint: 0, logStartOffset: 0 }
          const save = (log: Log) => (saved = { recoveryPoint: log.recoveryPoint, logStartOffset: log.logStartOffset })
          const open = (cleanShutdown: boolean) =>
            openLog(disk, CONFIG, {
              cleanShutdown,
              ...saved,
              openSegments: new OpenSegments(openMax),
              onRecovered: (report) => reports.push(report),
              onCheckpointNeeded: save,
            })
          let log = open(false)
          for (const step of commands) {
            switch (step.do) {
              case "append": {
                const samples = Array.from({ length: step.records }, (_, index): Sample => {
                  const count = model.counter++
                  return [null, `${count}:${"v".repeat(step.bytes)}`, 1000 + count + ((index * 7) % 5)]
                })
                const result = appended(log.append(batchOf(samples, { compression: step.codec }), CLIENT))
                expect([result.baseOffset, result.lastOffset]).toEqual([model.end, model.end + samples.length - 1])
                const records = samples.map(([, value, timestamp]) => ({ value: value!, timestamp: timestamp! }))
                model.batches.push({ base: model.end, records })
                break
              }
              case "flush":
                log.flush()
                expect(log.recoveryPoint).toBe(log.logEndOffset)
                break
              case "checkpoint":
                save(log)
                break
              case "roll":
                log.roll(CLIENT.now)
                break
              case "closeClean":
                log.close(true)
                save(log)
                log = open(true)
                break
              case "kill":
                log.close(false)
                log = open(false)
                break
              case "truncate": {
                const offset = model.start + (step.where % (model.end - model.start + 1))
                log.truncateTo(offset)
                if (offset < model.end) model.truncate(offset)
                break
              }
              case "deleteRecords": {
                const offset = model.start + (step.where % (model.end - model.start + 1))
                log.deleteRecordsBefore(offset)
                model.start = Math.max(model.start, offset)
                break
              }
              case "read": {
                const from = model.start + (step.where % (model.end - model.start + 1))
                const to = from + (step.where % (model.end - from + 1))
                const bounds = model.batches.map(({ base }) => base).filter((base) => base <= to)
                const endOffset = to === model.end ? to : (bounds.at(-1) ?? model.start)
                const expected = model.records.filter(([offset]) => offset >= from && offset < endOffset)
                expect(contents(log, from, Math.max(endOffset, from))).toEqual(expected)
                break
              }
              case "time": {
                const timestamp = 1000 + (step.where % (model.counter + 2))
                const all = model.batches.flatMap(({ base, records }) =>
                  records.map(({ timestamp: at }, index) => ({ offset: base + index, timestamp: at })),
                )
                const expected = all.find((one) => one.offset >= model.start && one.timestamp >= timestamp)
                expect(log.offsetForTimestamp(timestamp)).toEqual(
                  expected === undefined ? undefined : { ...expected, leaderEpoch: 0 },
                )
                break
              }
            }
            expect([log.logStartOffset, log.logEndOffset]).toEqual([model.start, model.end])
          }
          expect(contents(log)).toEqual(model.records)
          expect(reports).toEqual([])
          expect(disk.openFiles).toBeLessThanOrEqual(openMax)
          log.close(true)
          expect(disk.openFiles).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  })
})
