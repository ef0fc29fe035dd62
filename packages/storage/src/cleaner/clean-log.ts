/**
 * One round of cleaning: which keys the dirty part holds, then every segment below it written anew without the records
 * that a later one replaces.
 *
 * Works on files in slices of `ioBytes` and gives way after each, through `pace`: the log is read and appended to in
 * between. It only looks at segments that no longer change. A segment that leaves the log meanwhile (retention, a
 * deleted topic, a stop) ends the round with `CleaningAborted`; what was swapped in by then stays, and the next round
 * starts from the same checkpoint.
 *
 * If the keys do not fit the map, the round covers only the part that did: its end is what the next one starts from.
 */
import { BATCH_HEADER_BYTES, RecordBatchView } from "@millrace/protocol/record/batch"
import { CorruptRecordError } from "@millrace/protocol/record/corrupt"
import { RecordReader } from "@millrace/protocol/record/record"
import { CorruptLogError } from "../faults.ts"
import type { Log } from "../log.ts"
import type { Segment } from "../segment.ts"
import type { IndexedAbort } from "../transaction-index.ts"
import { cleanBatch, type CleaningRules, type LastOfProducer } from "./clean-batch.ts"
import type { CleanableRange } from "./cleanable.ts"
import { CleanedTransactions } from "./cleaned-transactions.ts"
import { OffsetMap } from "./offset-map.ts"
import type { Replacement } from "./replacement.ts"
import { groupSegments } from "./segment-groups.ts"

export interface CleaningOptions {
  readonly now: number
  /** log.cleaner.dedupe.buffer.size, in bytes. */
  readonly dedupeBytes: number
  /** log.cleaner.io.buffer.load.factor */
  readonly loadFactor: number
  /** Bytes read in one go, unless a batch is larger. */
  readonly ioBytes: number
  /** Seeds the digests of keys. */
  readonly seed: number
  /** Called between slices with the bytes read and written since; the round goes on when it resolves. */
  readonly pace: (bytes: number) => Promise<void>
}

export interface CleaningResult {
  /** Cleaned up to here, exclusive: the new checkpoint. */
  readonly endOffset: number
  readonly bytesRead: number
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** The log changed under a round in a way that makes its result useless. Nothing is wrong with the log. */
export class CleaningAborted extends Error {
  override readonly name = "CleaningAborted"
}

export async function cleanLog(log: Log, range: CleanableRange, options: CleaningOptions): Promise<CleaningResult> {
  const { firstDirtyOffset, upperBound } = range
  const segments = log.segments.filter((segment) => segment.nextOffset <= upperBound)
  // The active segment's index too: a transaction with data below may have its marker there.
  const aborted = log.segments.flatMap((segment) => segment.transactionIndex.entries())
  const round = new Round(log, options)
  const map = new OffsetMap(options.dedupeBytes, options.loadFactor, options.seed)
  // What is clean already counts as taken in.
  map.latestOffset = firstDirtyOffset - 1
  const dirty = segments.filter((segment) => segment.nextOffset > firstDirtyOffset)
  await round.collectKeys(map, dirty, firstDirtyOffset, aborted)
  const endOffset = map.latestOffset + 1
  const producers = new Map<number, LastOfProducer>()
  for (const { producerId, epoch, batches } of log.activeProducers()) {
    producers.set(producerId, { epoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 })
  }
  const rules: CleaningRules = {
    map,
    transactions: new CleanedTransactions(aborted),
    producers,
    upperBound,
    now: options.now,
    deleteRetentionMs: log.config.deleteRetentionMs,
    decompressedBytesMax: log.config.decompressedBytesMax,
  }
  await log.settle()
  const groups = groupSegments(
    segments.filter(({ baseOffset }) => baseOffset < endOffset),
    sizeOf,
    log.config,
  )
  for (const group of groups) await round.clean(group, rules)
  return { endOffset, bytesRead: round.bytesRead, bytesBefore: round.bytesBefore, bytesAfter: round.bytesAfter }
}

function sizeOf(segment: Segment) {
  const { baseOffset, nextOffset, size } = segment
  return {
    baseOffset,
    nextOffset,
    size,
    offsetIndexBytes: segment.offsetIndex.file.bytesUsed,
    timeIndexBytes: segment.timeIndex.file.bytesUsed,
  }
}

class Round {
  bytesRead = 0
  bytesBefore = 0
  bytesAfter = 0
  readonly #log: Log
  readonly #options: CleaningOptions
  #buffer: Buffer

  constructor(log: Log, options: CleaningOptions) {
    this.#log = log
    this.#options = options
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(options.ioBytes, BATCH_HEADER_BYTES))
  }

  /** Takes the keys of the dirty segments into the map until it is full. */
  async collectKeys(map: OffsetMap, segments: readonly Segment[], from: number, aborted: readonly IndexedAbort[]) {
    const transactions = new CleanedTransactions(aborted.filter(({ lastOffset }) => lastOffset >= from))
    for (const segment of segments) {
      let position = from <= segment.baseOffset ? 0 : segment.offsetIndex.positionFor(from)
      while (position < segment.size) {
        const slice = this.#read(segment, position)
        for (const batch of slice.batches) {
          if (batch.isControl) transactions.onControl(batch)
          else if (!transactions.onData(batch) && batch.lastOffset >= from) {
            if (!this.#takeKeys(map, segment, batch, from)) return
          }
          if (batch.lastOffset >= from) map.latestOffset = batch.lastOffset
        }
        position += slice.bytes
        await this.#pace(slice.bytes)
      }
      // Offsets up to the next segment hold nothing.
      map.latestOffset = segment.nextOffset - 1
    }
  }

  /** False when the map is full; a first batch is taken in whatever it holds, or the log could never be cleaned. */
  #takeKeys(map: OffsetMap, segment: Segment, batch: RecordBatchView, from: number): boolean {
    return this.#onRecords(segment, () => {
      const records = new RecordReader(batch, { decompressedBytesMax: this.#log.config.decompressedBytesMax })
      while (records.next()) {
        if (records.keySize < 0 || records.offset < from) continue
        if (map.isFull && map.latestOffset >= from) return false
        map.put(records.bytes, records.keyAt, records.keySize, records.offset)
      }
      return true
    })
  }

  /** Writes a group into one segment and swaps that in, unless it came out as it was. */
  async clean(group: readonly Segment[], rules: CleaningRules): Promise<void> {
    const log = this.#log
    // Since the last pause the log may have been deleted, its directory with it.
    this.#assertPresent(group)
    const target = log.startReplacement(group[0]!.baseOffset)
    try {
      let isChanged = group.length > 1
      for (const segment of group) {
        this.bytesBefore += segment.size
        let position = 0
        while (position < segment.size) {
          const slice = this.#read(segment, position)
          isChanged = this.#cleanSlice(segment, slice.batches, target, rules) || isChanged
          position += slice.bytes
          await this.#pace(slice.bytes * 2)
        }
      }
      this.bytesAfter += target.size
      if (!isChanged) return target.discard()
      this.#assertPresent(group)
      await target.seal()
      this.#assertPresent(group)
    } catch (cause) {
      target.discard()
      // Its directory may be gone by now, and whatever that led to is no fault.
      this.#assertPresent(group)
      throw cause
    }
    log.replaceSegments(group, target)
  }

  /** True when something of it was dropped or rewritten. */
  #cleanSlice(
    segment: Segment,
    batches: readonly RecordBatchView[],
    target: Replacement,
    rules: CleaningRules,
  ): boolean {
    const chunks: Uint8Array[] = []
    const kept: RecordBatchView[] = []
    let isChanged = false
    // Neighbours that stay as they are go out as one piece.
    let runStart = -1
    let runEnd = -1
    const endRun = () => {
      if (runStart >= 0) chunks.push(batches[0]!.bytes.subarray(runStart, runEnd))
      runStart = -1
    }
    for (const batch of batches) {
      const cleaned = this.#onRecords(segment, () => cleanBatch(batch, rules))
      if (cleaned.kind === "same") {
        if (runStart < 0) runStart = batch.offset
        runEnd = batch.offset + batch.sizeInBytes
        kept.push(batch)
      } else {
        isChanged = true
        endRun()
        if (cleaned.kind === "gone") continue
        chunks.push(cleaned.bytes)
        kept.push(new RecordBatchView(cleaned.bytes))
      }
      if (cleaned.abort !== undefined) target.addAbort(cleaned.abort)
    }
    endRun()
    if (kept.length > 0) target.append(chunks, kept)
    return isChanged
  }

  /** Whole batches from `position` on, as views into a buffer that the next call reuses. */
  #read(segment: Segment, position: number): { readonly batches: readonly RecordBatchView[]; readonly bytes: number } {
    this.#assertPresent([segment])
    for (;;) {
      const length = Math.min(this.#buffer.length, segment.size - position)
      const read = segment.file.read(this.#buffer, 0, length, position)
      if (read < length)
        throw new CorruptLogError(segment.path, position + read, "the file is shorter than its batches")
      const batches: RecordBatchView[] = []
      let at = 0
      let needed = BATCH_HEADER_BYTES
      while (at + BATCH_HEADER_BYTES <= length) {
        const batch = new RecordBatchView(this.#buffer, at)
        const size = batch.sizeInBytes
        if (size < BATCH_HEADER_BYTES || size > segment.size - position - at) {
          throw new CorruptLogError(segment.path, position + at, "there is no batch header")
        }
        if (size > length - at) {
          needed = size
          break
        }
        if (!segment.isTrusted(position + at, position + at + size) && !batch.isValidCrc()) {
          throw new CorruptLogError(segment.path, position + at, "a batch does not match its checksum")
        }
        batches.push(batch)
        at += size
      }
      if (at > 0) {
        this.bytesRead += at
        return { batches, bytes: at }
      }
      if (length === segment.size - position) throw new CorruptLogError(segment.path, position, "a batch is cut off")
      this.#buffer = Buffer.allocUnsafeSlow(needed)
    }
  }

  #onRecords<T>(segment: Segment, run: () => T): T {
    try {
      return run()
    } catch (cause) {
      if (cause instanceof CorruptRecordError) throw new CorruptLogError(segment.path, -1, cause.message, { cause })
      throw cause
    }
  }

  async #pace(bytes: number): Promise<void> {
    await this.#options.pace(bytes)
  }

  #assertPresent(segments: readonly Segment[]): void {
    for (const segment of segments) {
      if (segment.isRetired) throw new CleaningAborted(`${segment.path} left its log while it was cleaned`)
    }
  }
}
