/** Batches as clients send them, and views on what a log holds. */
import { batches, RecordBatchView } from "@millrace/protocol/record/batch"
import { type RecordBatchOptions, RecordBatchBuilder } from "@millrace/protocol/record/builder"
import { endTxnMarkerBatch } from "@millrace/protocol/record/control"
import { RecordReader } from "@millrace/protocol/record/record"
import type { AppendOptions, Appended, AppendResult } from "../src/append-result.ts"
import { Log } from "../src/log.ts"
import type { LogOptions } from "../src/log-options.ts"
import { type LogConfig, logConfig } from "../src/log-config.ts"
import { MemoryDisk } from "./memory-disk.ts"

export const NOW = 1_700_000_000_000
export const DIRECTORY = "/data/topic-0"

export type Sample = readonly [key: string | null, value: string | null, timestamp?: number]

export const bytesOf = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text))

export function batchOf(samples: readonly Sample[], options: RecordBatchOptions = {}): Uint8Array {
  const builder = new RecordBatchBuilder(options)
  for (const [key, value, timestamp] of samples) builder.append(timestamp ?? NOW, bytesOf(key), bytesOf(value))
  return builder.build()
}

/** A batch of `count` records from a producer, first sequence `baseSequence`. */
export function fromProducer(
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
  count = 1,
  options: RecordBatchOptions = {},
): Uint8Array {
  const samples = Array.from({ length: count }, (_, index): Sample => ["k", `${producerId}/${baseSequence + index}`])
  return batchOf(samples, { producerId, producerEpoch, baseSequence, ...options })
}

export function marker(
  producerId: number,
  producerEpoch: number,
  committed: boolean,
  coordinatorEpoch = 0,
): Uint8Array {
  return endTxnMarkerBatch({ producerId, producerEpoch, committed, coordinatorEpoch, timestamp: NOW })
}

export const CLIENT: AppendOptions = { origin: "client", leaderEpoch: 0, now: NOW }
export const COORDINATOR: AppendOptions = { origin: "coordinator", leaderEpoch: 0, now: NOW }

export function appended(result: AppendResult): Appended {
  if (!result.ok) throw new Error(`refused with ${result.error}: ${result.message}`)
  return result
}

export function openLog(disk: MemoryDisk, config: Partial<LogConfig> = {}, options: Partial<LogOptions> = {}): Log {
  disk.makeDirectory(DIRECTORY)
  return Log.open(disk, DIRECTORY, logConfig(config), { now: NOW, cleanShutdown: false, ...options })
}

/** Reads a log in small fetches: offset and value of each data record, from `from` up to `endOffset`. */
export function contents(log: Log, from = log.logStartOffset, endOffset = log.logEndOffset): [number, string | null][] {
  const found: [number, string | null][] = []
  let next = from
  for (;;) {
    const read = log.read(next, { maxBytes: 700, minOneBatch: true, endOffset })
    if (read === "OFFSET_OUT_OF_RANGE") throw new Error(`${next} is out of range`)
    if (read.bytes.length === 0) return found
    for (const batch of batches(read.bytes)) {
      next = batch.nextOffset
      if (batch.isControl) continue
      const records = new RecordReader(batch)
      while (records.next()) {
        const value = records.value()
        if (records.offset >= from) found.push([records.offset, value === null ? null : Buffer.from(value).toString()])
      }
    }
  }
}

export function batchesIn(log: Log, from = log.logStartOffset): RecordBatchView[] {
  const read = log.read(from, { maxBytes: 1 << 30, endOffset: log.logEndOffset })
  if (read === "OFFSET_OUT_OF_RANGE") throw new Error(`${from} is out of range`)
  return [...batches(read.bytes)]
}
