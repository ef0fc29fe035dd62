/** Power cuts at any moment: what was flushed is there, and the rest is a clean prefix of what was appended. */
import { batches } from "@millrace/protocol/record/batch"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Log } from "../src/log.ts"
import type { LogConfig } from "../src/log-config.ts"
import { MemoryDisk } from "./memory-disk.ts"
import { appended, batchOf, CLIENT, COORDINATOR, fromProducer, marker, openLog } from "./samples.ts"

const CONFIG: Partial<LogConfig> = { segmentBytes: 1500, indexIntervalBytes: 200 }

type Step =
  | { readonly do: "plain"; readonly bytes: number }
  | { readonly do: "produce" | "commit" | "abort"; readonly producer: number }
  | {
      readonly do:
        | "flush"
        | "flushLater"
        | "flushRolled"
        | "checkpoint"
        | "roll"
        | "powerCut"
        | "kill"
        | "deleteRecords"
    }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("plain" as const), bytes: fc.nat({ max: 900 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom("produce" as const, "produce" as const, "commit" as const, "abort" as const),
      producer: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom("flush", "flushLater", "checkpoint", "roll", "powerCut", "powerCut", "kill", "deleteRecords")
      .map((kind) => ({ do: kind }) as Step),
  },
)

/** Everything from `from` on, byte for byte. */
function bytesFrom(log: Log, from: number): Buffer {
  const chunks: Uint8Array[] = []
  let next = from
  while (next < log.logEndOffset) {
    const read = log.read(next, { maxBytes: 400, minOneBatch: true, endOffset: log.logEndOffset })
    if (read === "OFFSET_OUT_OF_RANGE") throw new Error("out of range")
    chunks.push(read.bytes)
    for (const batch of batches(read.bytes)) {
      expect(batch.isValidCrc()).toBe(true)
      expect(batch.lastOffset).toBeGreaterThanOrEqual(next)
      next = batch.nextOffset
    }
  }
  return Buffer.concat(chunks)
}

/** What a log that holds just these batches knows of its producers: the oracle for recovered state. */
function derived(batchBytes: readonly Uint8Array[]) {
  const log = openLog(new MemoryDisk(), { segmentBytes: 1e9 })
  for (const bytes of batchBytes) appended(log.append(Buffer.from(bytes), { ...CLIENT, origin: "replication" }))
  return stateOf(log, 0)
}

function stateOf(log: Log, from: number) {
  return {
    producers: log
      .activeProducers()
      .map(({ producerId, epoch, lastSequence, currentTxnFirstOffset, batches }) => ({
        producerId,
        epoch,
        lastSequence,
        currentTxnFirstOffset,
        batches,
      }))
      .sort((a, b) => a.producerId - b.producerId),
    aborted: log.abortedTransactions(from, log.logEndOffset),
    stable: log.lastStableOffset(log.logEndOffset),
  }
}

const script = fc.array(step, { minLength: 10, maxLength: 80 })

describe("a log whose power fails", () => {
  it("keeps what was flushed, and a clean prefix of the rest, with the state that belongs to it", async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.infiniteStream(fc.nat({ max: 1 << 20 })), async (steps, entropy) => {
        const choose = (bound: number) => (entropy.next().value as number) % bound
        const disk = new MemoryDisk()
        const all: Uint8Array[] = []
        const ends: number[] = []
        const sequences = new Map<number, number>()
        let flushed = 0
        let start = 0
        let saved = { recoveryPoint: 0, logStartOffset: 0 }
        const save = (log: Log) => (saved = { recoveryPoint: log.recoveryPoint, logStartOffset: log.logStartOffset })
        const open = () => openLog(disk, CONFIG, { ...saved, onCheckpointNeeded: (log) => save(log) })
        let log = open()
        // A created log is durable before it is used.
        log.flush()
        disk.syncDirectory("/data/topic-0")
        const append = (bytes: Uint8Array, options = CLIENT) => {
          const result = appended(log.append(bytes, options))
          all.push(Buffer.from(bytes))
          ends.push(result.lastOffset + 1)
        }
        const pending: Promise<void>[] = []
        const restart = (atLeast: number) => {
          log.close(false)
          log = open()
          const kept = ends.filter((end) => end <= log.logEndOffset)
          all.length = ends.length = kept.length
          expect(log.logEndOffset).toBe(kept.at(-1) ?? 0)
          expect(log.logEndOffset).toBeGreaterThanOrEqual(atLeast)
          expect(log.logStartOffset).toBe(start)
          const expected = Buffer.concat(all)
          const found = bytesFrom(log, log.logStartOffset)
          expect(expected.subarray(expected.length - found.length).equals(found)).toBe(true)
          const oracle = derived(all)
          const state = stateOf(log, 0)
          expect(state.producers).toEqual(oracle.producers)
          // A transaction whose records were deleted holds nobody back: nothing below the log's start can be read.
          expect(state.stable).toBe(Math.max(oracle.stable, log.logStartOffset))
          // Of aborted transactions, those before the first segment went with it.
          expect(oracle.aborted.slice(oracle.aborted.length - state.aborted.length)).toEqual(state.aborted)
          sequences.clear()
          for (const { producerId, lastSequence } of log.activeProducers()) sequences.set(producerId, lastSequence + 1)
          flushed = Math.max(flushed, log.recoveryPoint)
        }
        for (const one of steps) {
          switch (one.do) {
            case "plain":
              append(batchOf([["k", "x".repeat(one.bytes)]]))
              break
            case "produce": {
              const sequence = sequences.get(one.producer) ?? 0
              append(fromProducer(one.producer, 0, sequence, 2, { transactional: one.producer !== 3 }))
              sequences.set(one.producer, sequence + 2)
              break
            }
            case "commit":
            case "abort":
              if (one.producer !== 3) append(marker(one.producer, 0, one.do === "commit"), COORDINATOR)
              break
            case "flush":
              log.flush()
              flushed = log.logEndOffset
              break
            case "flushLater": {
              const end = log.logEndOffset
              const done = log.flushLater()
              // Half of them finish before the next step, the others run alongside it.
              if (choose(2) === 0) {
                await done
                flushed = Math.max(flushed, end)
              } else pending.push(done.then(() => void (flushed = Math.max(flushed, end))))
              break
            }
            case "checkpoint":
              save(log)
              flushed = Math.max(flushed, saved.recoveryPoint)
              break
            case "roll":
              log.roll(CLIENT.now)
              break
            case "deleteRecords":
              start = ends[choose(ends.length + 1)] ?? start
              start = Math.max(start, log.logStartOffset)
              log.deleteRecordsBefore(start)
              flushed = Math.max(flushed, log.recoveryPoint)
              break
            case "kill":
            case "powerCut":
              await Promise.all(pending.splice(0))
              if (one.do === "powerCut") disk.powerCut(choose)
              restart(one.do === "kill" ? log.logEndOffset : flushed)
              break
          }
        }
        await Promise.all(pending)
      }),
      { numRuns: 200 },
    )
  })
})
