/**
 * Producer snapshots: the producer state at an offset, named by it, so that a start need not read the whole log.
 *
 *   version int16 = 1 | crc uint32 (CRC-32C of what follows) | count int32 |
 *   entry, 46 bytes:  producerId int64 | epoch int16 | lastSequence int32 | lastOffset int64 | offsetDelta int32 |
 *                     timestamp int64 | coordinatorEpoch int32 | currentTxnFirstOffset int64
 *
 * Kafka writes one entry per producer and so forgets all but the last batch of each window over a restart. We write one
 * per remembered batch, oldest first: Kafka's reader keeps the last one, ours the whole window, and a client that
 * retries five batches after a restart gets five duplicates instead of a sequence error.
 */
import type { Disk } from "@millrace/host"
import { NO_SEQUENCE } from "@millrace/protocol/record/batch"
import { crc32c } from "@millrace/protocol/record/crc32c"
import { int16At, int32At, int64At, putInt16, putInt32, putInt64, uint32At } from "@millrace/protocol/record/integers"
import { type BatchMetadata, ProducerEntry } from "./producer-entry.ts"

const VERSION = 1
const CRC_AT = 2
const COUNT_AT = 6
const ENTRIES_AT = 10
const ENTRY_BYTES = 46

const NO_BATCH: BatchMetadata = { lastSequence: NO_SEQUENCE, lastOffset: -1, offsetDelta: 0, timestamp: -1 }

export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>): Uint8Array {
  const rows: [ProducerEntry, BatchMetadata][] = []
  for (const entry of entries) {
    if (entry.batches.length === 0) rows.push([entry, NO_BATCH])
    for (const batch of entry.batches) rows.push([entry, batch])
  }
  const bytes = new Uint8Array(ENTRIES_AT + rows.length * ENTRY_BYTES)
  putInt16(bytes, 0, VERSION)
  putInt32(bytes, COUNT_AT, rows.length)
  let at = ENTRIES_AT
  for (const [entry, batch] of rows) {
    putInt64(bytes, at, entry.producerId)
    putInt16(bytes, at + 8, entry.epoch)
    putInt32(bytes, at + 10, batch.lastSequence)
    putInt64(bytes, at + 14, batch.lastOffset)
    putInt32(bytes, at + 22, batch.offsetDelta)
    // A marker may be later than the last batch: the last row carries the later time, which Kafka's expiry goes by.
    putInt64(
      bytes,
      at + 26,
      batch === entry.batches.at(-1) || batch === NO_BATCH ? entry.lastTimestamp : batch.timestamp,
    )
    putInt32(bytes, at + 34, entry.coordinatorEpoch)
    putInt64(bytes, at + 38, entry.currentTxnFirstOffset)
    at += ENTRY_BYTES
  }
  putInt32(bytes, CRC_AT, crc32c(bytes, COUNT_AT))
  return bytes
}

/** The entries by producer id, or undefined when the file is torn or of another version: an older one serves then. */
export function decodeProducerSnapshot(bytes: Uint8Array, lastSeen: number): Map<number, ProducerEntry> | undefined {
  if (bytes.length < ENTRIES_AT || int16At(bytes, 0) !== VERSION) return undefined
  const count = int32At(bytes, COUNT_AT)
  if (bytes.length !== ENTRIES_AT + count * ENTRY_BYTES) return undefined
  if (uint32At(bytes, CRC_AT) !== crc32c(bytes, COUNT_AT)) return undefined
  const producers = new Map<number, ProducerEntry>()
  for (let index = 0; index < count; index++) {
    const at = ENTRIES_AT + index * ENTRY_BYTES
    const producerId = int64At(bytes, at)
    let entry = producers.get(producerId)
    if (entry === undefined) producers.set(producerId, (entry = new ProducerEntry(producerId, lastSeen)))
    const timestamp = int64At(bytes, at + 26)
    const lastOffset = int64At(bytes, at + 14)
    const lastSequence = int32At(bytes, at + 10)
    entry.setEpoch(int16At(bytes, at + 8))
    if (lastOffset >= 0 && lastSequence !== NO_SEQUENCE) {
      entry.addBatch(entry.epoch, { lastSequence, lastOffset, offsetDelta: int32At(bytes, at + 22), timestamp })
    }
    entry.lastTimestamp = timestamp
    entry.coordinatorEpoch = int32At(bytes, at + 34)
    entry.currentTxnFirstOffset = int64At(bytes, at + 38)
  }
  return producers
}

export function readProducerSnapshot(
  disk: Disk,
  path: string,
  lastSeen: number,
): Map<number, ProducerEntry> | undefined {
  const bytes = disk.readFile(path)
  return bytes === undefined ? undefined : decodeProducerSnapshot(bytes, lastSeen)
}
