/** A compacted log against an array of all that was ever written to it. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Log } from "../../src/log.ts"
import { MemoryDisk } from "../memory-disk.ts"
import { appended, batchOf, CLIENT, COORDINATOR, marker, NOW, openLog, type Sample } from "../samples.ts"
import { clean, COMPACT } from "./cleaning.ts"
import { liveOf, readCommitted, type ReadRecord, tableOf } from "./reading.ts"

const KEYS = 8
const RETENTION = COMPACT.deleteRetentionMs
const CONFIG = { ...COMPACT, segmentBytes: 1500, indexIntervalBytes: 150 }

type Step =
  | {
      readonly do: "append"
      readonly records: readonly (readonly [key: number, isTombstone: boolean])[]
      readonly producer: number
      readonly codec: "none" | "lz4" | "gzip"
    }
  | { readonly do: "commit" | "abort"; readonly producer: number }
  | { readonly do: "clean"; readonly afterMs: number; readonly isCramped: boolean }
  | { readonly do: "roll" | "closeClean" | "kill" | "forgetSnapshots" }

/** Producers 1 and 2 write transactions, 3 is idempotent, 0 has no identity. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      records: fc.array(fc.tuple(fc.nat({ max: KEYS - 1 }), fc.boolean()), { minLength: 1, maxLength: 5 }),
      producer: fc.nat({ max: 3 }),
      codec: fc.constantFrom("none", "none", "lz4", "gzip"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("commit", "abort"), producer: fc.integer({ min: 1, max: 2 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("clean" as const),
      afterMs: fc.constantFrom(0, 1, RETENTION / 2, RETENTION, 2 * RETENTION),
      isCramped: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("roll", "roll", "closeClean", "kill", "forgetSnapshots"),
    }) as fc.Arbitrary<Step>,
  },
)

interface Written extends ReadRecord {
  readonly producer: number
  state: "committed" | "aborted" | "open"
  /** When a round of cleaning first took it into account. */
  cleanedAt?: number
}

interface Sent {
  readonly bytes: Uint8Array
  readonly baseOffset: number
  readonly count: number
}

class Session {
  readonly disk = new MemoryDisk()
  readonly written: Written[] = []
  readonly sequences = new Map<number, number>()
  /** The last batch of each producer, as it was sent. */
  readonly last = new Map<number, Sent>()
  now = NOW
  checkpoint = 0
  lastCleanAt = 0
  saved = { recoveryPoint: 0, logStartOffset: 0 }
  log: Log = this.open(false)

  open(cleanShutdown: boolean): Log {
    return openLog(this.disk, CONFIG, {
      cleanShutdown,
      ...this.saved,
      wasCleaned: this.checkpoint > 0,
      onCheckpointNeeded: (log) => this.save(log),
      onRecovered: (report) => {
        throw new Error(`recovery cut something: ${report.reason}`)
      },
    })
  }

  save(log: Log): void {
    this.saved = { recoveryPoint: log.recoveryPoint, logStartOffset: log.logStartOffset }
  }

  append(records: readonly (readonly [number, boolean])[], producer: number, codec: "none" | "lz4" | "gzip"): void {
    this.now++
    const next = this.log.logEndOffset
    const samples = records.map(([key, isTombstone], index): Sample => {
      const value = isTombstone ? null : `${next + index}:${"v".repeat(key * 10)}`
      return [`k${key}`, value, this.now + ((index * 7) % 3)]
    })
    const sequence = this.sequences.get(producer) ?? 0
    const identity = { producerId: producer, producerEpoch: 0, baseSequence: sequence, transactional: producer < 3 }
    const bytes = batchOf(samples, { compression: codec, ...(producer > 0 ? identity : {}) })
    const { baseOffset } = appended(this.log.append(Buffer.from(bytes), CLIENT))
    this.sequences.set(producer, sequence + samples.length)
    if (producer > 0) this.last.set(producer, { bytes, baseOffset, count: samples.length })
    const isOpen = producer === 1 || producer === 2
    for (const [index, [key, value, timestamp]] of samples.entries()) {
      const offset = baseOffset + index
      this.written.push({ offset, key, value, timestamp: timestamp!, producer, state: isOpen ? "open" : "committed" })
    }
  }

  end(producer: number, isCommitted: boolean): void {
    appended(this.log.append(marker(producer, 0, isCommitted), COORDINATOR))
    for (const record of this.written) {
      if (record.producer === producer && record.state === "open") record.state = isCommitted ? "committed" : "aborted"
    }
  }

  async clean(afterMs: number, isCramped: boolean): Promise<void> {
    this.now += afterMs
    const { checkpoint, now } = this
    // Less than a slot for each key: the first batch of a round always fits.
    const { endOffset } = await clean(this.log, {
      now,
      checkpoint,
      ioBytes: 300,
      ...(isCramped ? { loadFactor: 0.015 } : {}),
    })
    expect(endOffset).toBeGreaterThanOrEqual(checkpoint)
    for (const record of this.written) if (record.offset < endOffset) record.cleanedAt ??= now
    if (endOffset > 0) this.checkpoint = endOffset
    this.lastCleanAt = now
  }

  check(): void {
    const { log, written } = this
    const byOffset = new Map(written.map((record) => [record.offset, record]))
    const stable = log.lastStableOffset(log.logEndOffset)
    const committed = written.filter(({ state, offset }) => state === "committed" && offset < stable)
    const expected = tableOf(committed)
    const found = readCommitted(log, log.logStartOffset)
    for (const { offset, key, value, timestamp } of found) {
      const record = byOffset.get(offset)
      expect(record).toMatchObject({ key, value, timestamp, state: "committed" })
    }
    expect(liveOf(tableOf(found))).toEqual(liveOf(expected))
    const present = new Set(found.map(({ offset }) => offset))
    const latest = new Map(committed.map((record) => [record.key, record]))
    for (const record of committed) {
      const isUncleaned = record.offset >= this.checkpoint
      const isYoungTombstone =
        record.value === null && (record.cleanedAt === undefined || this.lastCleanAt < record.cleanedAt + RETENTION)
      const mustStay = latest.get(record.key) === record && (record.value !== null || isYoungTombstone)
      if (isUncleaned || mustStay) expect(present).toContain(record.offset)
    }
    // Below the checkpoint a key is there once.
    const keys = found.filter(({ offset }) => offset < this.checkpoint).map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
    // Whoever starts in the middle sees the same records from there on.
    for (const from of [1, 3].map((part) => Math.floor((stable * part) / 4))) {
      expect(readCommitted(log, from)).toEqual(found.filter(({ offset }) => offset >= from))
    }
  }

  checkProducers(): void {
    for (const { bytes, baseOffset, count } of this.last.values()) {
      const result = appended(this.log.append(Buffer.from(bytes), CLIENT))
      expect(result).toMatchObject({ duplicate: true, baseOffset, lastOffset: baseOffset + count - 1 })
    }
  }
}

describe("a compacted log", () => {
  it("keeps the latest of each key and everything's place, through rounds of cleaning, stops and kills", async () => {
    let removed = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
        const session = new Session()
        for (const one of steps) {
          switch (one.do) {
            case "append":
              session.append(one.records, one.producer, one.codec)
              break
            case "commit":
            case "abort":
              session.end(one.producer, one.do === "commit")
              break
            case "clean":
              await session.clean(one.afterMs, one.isCramped)
              session.check()
              break
            case "roll":
              session.log.roll(session.now)
              break
            case "closeClean":
              session.log.close(true)
              session.save(session.log)
              session.log = session.open(true)
              break
            case "forgetSnapshots":
            case "kill":
              session.log.close(false)
              if (one.do === "forgetSnapshots") {
                for (const name of session.disk.list("/data/topic-0")) {
                  if (name.endsWith(".snapshot")) session.disk.remove(`/data/topic-0/${name}`)
                }
              }
              session.log = session.open(false)
              break
          }
        }
        session.log.roll(session.now)
        await session.clean(0, false)
        session.check()
        session.checkProducers()
        removed += session.written.length - readCommitted(session.log, 0).length
        session.log.close(true)
        expect(session.disk.openFiles).toBe(0)
      }),
      { numRuns: 150 },
    )
    // It did something.
    expect(removed).toBeGreaterThan(1000)
  })
})
