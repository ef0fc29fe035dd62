/** A compacted log in memory, filled and looked at by hand. */
import type { RecordBatchView } from "@millrace/protocol/record/batch"
import { RecordReader } from "@millrace/protocol/record/record"
import type { Log } from "../../src/log.ts"
import { MemoryDisk } from "../memory-disk.ts"
import { appended, batchesIn, batchOf, CLIENT, openLog, type Sample } from "../samples.ts"
import { COMPACT } from "./cleaning.ts"

export function compacted(config = {}, disk = new MemoryDisk()): Log {
  return openLog(disk, { ...COMPACT, ...config })
}

export function put(log: Log, ...samples: Sample[]): void {
  appended(log.append(batchOf(samples), CLIENT))
}

/** Records as consumers see them: offset, key, value, timestamp. */
export function records(log: Log): [number, string | null, string | null, number][] {
  const found: [number, string | null, string | null, number][] = []
  let next = log.logStartOffset
  while (next < log.logEndOffset) {
    const batches = batchesIn(log, next)
    if (batches.length === 0) break
    for (const batch of batches) {
      next = batch.nextOffset
      if (batch.isControl) continue
      const reader = new RecordReader(batch)
      const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
      while (reader.next()) found.push([reader.offset, text(reader.key()), text(reader.value()), reader.timestamp])
    }
  }
  return found
}

export function allBatches(log: Log): RecordBatchView[] {
  const found: RecordBatchView[] = []
  for (let next = log.logStartOffset; next < log.logEndOffset; next = found.at(-1)!.nextOffset) {
    const batches = batchesIn(log, next)
    if (batches.length === 0) break
    found.push(...batches)
  }
  return found
}
