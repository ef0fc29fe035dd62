/**
 * One segment of a log: its batches, its indexes, and how far each is written and synced.
 *
 * Invariants: positions below `size` hold whole batches in offset order, all below `nextOffset`. The file is opened
 * when it is needed and may be closed between uses. Indexes live in memory while the segment is active; of an inactive
 * segment they are loaded when needed.
 *
 * Bytes that this process wrote or recovered are trusted. Older bytes are checked against their checksums the first
 * time they are read, so that damage on the disk shows as one clear error, and never twice as cost.
 */
import { type Disk, type DiskFile, invariant } from "@millrace/host"
import { NO_TIMESTAMP, type RecordBatchView } from "@millrace/protocol/record/batch"
import { int64At } from "@millrace/protocol/record/integers"
import { CorruptLogError } from "./faults.ts"
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from "./layout.ts"
import { type LogConfig, rollMs } from "./log-config.ts"
import { OffsetIndex } from "./offset-index.ts"
import type { OpenSegments, Releasable } from "./open-segments.ts"
import { ReadPositions } from "./read-positions.ts"
import { type Damage, scanBatches } from "./scan.ts"
import { TimeIndex } from "./time-index.ts"
import { TransactionIndex } from "./transaction-index.ts"

const TIME_ENTRY_BYTES = 12
/** Relative offsets and positions are 32-bit. */
const RELATIVE_MAX = 0x7fff_ffff

export class Segment implements Releasable {
  readonly baseOffset: number
  readonly path: string
  readonly directory: string
  /** Bytes of whole batches. */
  size: number
  /** Behind the last record; for an inactive segment where the next one starts. */
  nextOffset: number
  /** When this process made the segment, or opened the log: what segment.ms counts from without timestamps. */
  readonly createdAt: number

  /** Where reads ended, by the offset that follows: the next fetch of the same reader starts there. */
  readonly readPositions = new ReadPositions()

  readonly #disk: Disk
  readonly #open: OpenSegments
  readonly #indexIntervalBytes: number
  readonly #offsetIndex: OffsetIndex
  readonly #timeIndex: TimeIndex
  readonly #transactionIndex: TransactionIndex
  #file: DiskFile | undefined
  #pins = 0
  #active = false
  #indexesLoaded = false
  #transactionsLoaded = false
  #bytesSinceIndexEntry = 0
  #maxTimestamp: number | undefined
  #maxTimestampOffset: number
  #firstTimestamp: number | undefined
  /** Positions known to hold valid batches: from here on, and in [#checkedFrom, #checkedTo). */
  #trustedFrom: number
  #checkedFrom = 0
  #checkedTo = 0
  #damagedTail = false
  #retired = false

  constructor(
    disk: Disk,
    open: OpenSegments,
    directory: string,
    baseOffset: number,
    indexIntervalBytes: number,
    createdAt: number,
    /** Behind every file's name, of a segment that is not the log's yet. */
    nameSuffix = "",
  ) {
    const path = (suffix: string) => `${directory}/${offsetFileName(baseOffset, suffix)}${nameSuffix}`
    this.#disk = disk
    this.#open = open
    this.directory = directory
    this.baseOffset = baseOffset
    this.nextOffset = baseOffset
    this.createdAt = createdAt
    this.path = path(LOG_SUFFIX)
    this.#indexIntervalBytes = indexIntervalBytes
    this.#offsetIndex = new OffsetIndex(disk, path(OFFSET_INDEX_SUFFIX), baseOffset)
    this.#timeIndex = new TimeIndex(disk, path(TIME_INDEX_SUFFIX), baseOffset)
    this.#transactionIndex = new TransactionIndex(disk, path(TRANSACTION_INDEX_SUFFIX))
    this.#maxTimestampOffset = baseOffset
    this.size = 0
    this.#trustedFrom = 0
  }

  /** Makes the file of a new, empty segment; the caller syncs the directory. */
  create(): void {
    this.#file = this.#disk.open(this.path, { create: true, truncate: true })
    try {
      this.#open.touch(this)
    } catch (cause) {
      this.retire()
      throw cause
    }
    this.startIndexes()
  }

  /** Takes the size of an existing file. Its bytes are not trusted yet. */
  attach(nextOffset: number): void {
    this.size = this.#trustedFrom = this.file.size()
    this.nextOffset = nextOffset
  }

  get file(): DiskFile {
    this.#open.touch(this)
    return (this.#file ??= this.#disk.open(this.path))
  }

  get active(): boolean {
    return this.#active
  }

  /** An active segment keeps its indexes in memory. */
  set active(value: boolean) {
    this.#active = value
  }

  get offsetIndex(): OffsetIndex {
    this.#loadIndexes()
    return this.#offsetIndex
  }

  get timeIndex(): TimeIndex {
    this.#loadIndexes()
    return this.#timeIndex
  }

  get transactionIndex(): TransactionIndex {
    if (!this.#transactionsLoaded) {
      this.#open.touch(this)
      this.#transactionIndex.load()
      this.#transactionsLoaded = true
    }
    return this.#transactionIndex
  }

  /** Begins with empty indexes, whatever the files hold: for a new segment, and before recovery fills them. */
  startIndexes(): void {
    for (const index of [this.#offsetIndex, this.#timeIndex, this.#transactionIndex]) index.file.reset()
    this.#indexesLoaded = this.#transactionsLoaded = true
    this.#bytesSinceIndexEntry = 0
    this.#maxTimestamp = NO_TIMESTAMP
    this.#maxTimestampOffset = this.baseOffset
    this.#firstTimestamp = undefined
  }

  /** Writes batches at the end. Nothing changes when the disk refuses. */
  append(chunks: readonly Uint8Array[], batches: readonly RecordBatchView[]): void {
    const { file } = this
    this.#loadIndexes()
    invariant(this.#active, "a batch is appended to a segment that is not active")
    // Part of what was refused may lie behind the end, and batches of it would count after a crash.
    if (this.#damagedTail) this.cutAt(this.size)
    try {
      file.write(chunks, this.size)
    } catch (cause) {
      this.#damagedTail = true
      throw cause
    }
    for (const batch of batches) this.account(batch, this.size)
  }

  /** Takes a batch that lies at `position`, the end so far, into size, indexes and times. */
  account(batch: RecordBatchView, position: number): void {
    const bytes = batch.sizeInBytes
    const lastOffset = batch.lastOffset
    const timestamp = batch.maxTimestamp
    this.#firstTimestamp ??= timestamp
    if (timestamp > this.#maxTimestamp!) {
      this.#maxTimestamp = timestamp
      this.#maxTimestampOffset = lastOffset
    }
    if (this.#bytesSinceIndexEntry > this.#indexIntervalBytes) {
      this.#offsetIndex.append(lastOffset, position)
      this.#timeIndex.maybeAppend(this.#maxTimestamp!, this.#maxTimestampOffset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += bytes
    this.size = position + bytes
    this.nextOffset = lastOffset + 1
  }

  /** Reads as: these batches have to go to a new segment. */
  mustRoll(bytes: number, lastOffset: number, maxTimestamp: number, config: LogConfig, now: number): boolean {
    if (this.size === 0) return false
    const first = this.firstTimestamp
    const waited = first >= 0 && maxTimestamp >= 0 ? maxTimestamp - first : now - this.createdAt
    return (
      this.size > config.segmentBytes - bytes ||
      waited > rollMs(config) ||
      this.#offsetIndex.count >= Math.floor(config.segmentIndexBytes / 8) ||
      this.#timeIndex.count >= Math.floor(config.segmentIndexBytes / TIME_ENTRY_BYTES) - 1 ||
      lastOffset - this.baseOffset > RELATIVE_MAX
    )
  }

  /** Greatest timestamp of the first batch, -1 when there is none. */
  get firstTimestamp(): number {
    if (this.#firstTimestamp === undefined) {
      scanBatches(this.file, 0, this.size, false, (batch) => {
        this.#firstTimestamp = batch.maxTimestamp
        return false
      })
    }
    return this.#firstTimestamp ?? NO_TIMESTAMP
  }

  /** Greatest timestamp of all batches, -1 when there is none. */
  get maxTimestamp(): number {
    if (this.#maxTimestamp === undefined) {
      const last = this.#indexesLoaded ? undefined : this.#lastTimeEntry()
      if (last === undefined) this.#loadIndexes()
      else this.#maxTimestamp = last
    }
    return this.#maxTimestamp ?? NO_TIMESTAMP
  }

  /** Last offset of the first batch that has `maxTimestamp`. */
  get maxTimestampOffset(): number {
    this.#loadIndexes()
    return this.#maxTimestampOffset
  }

  /** Reads as: these positions need no checksum any more. */
  isTrusted(from: number, to: number): boolean {
    return from >= this.#trustedFrom || (from >= this.#checkedFrom && to <= this.#checkedTo)
  }

  trust(from: number, to: number): void {
    if (from <= this.#checkedTo && to >= this.#checkedFrom) {
      this.#checkedFrom = Math.min(from, this.#checkedFrom)
      this.#checkedTo = Math.max(to, this.#checkedTo)
    } else {
      this.#checkedFrom = from
      this.#checkedTo = to
    }
    if (this.#checkedTo >= this.#trustedFrom) this.#trustedFrom = Math.min(this.#trustedFrom, this.#checkedFrom)
  }

  /** Cuts every batch that reaches `offset`; answers whether bytes were cut. */
  truncateTo(offset: number): boolean {
    let end = this.size
    let next = Math.min(offset, this.nextOffset)
    scanBatches(this.file, this.offsetIndex.positionFor(offset - 1), this.size, false, (batch, position) => {
      if (batch.lastOffset < offset) return true
      end = position
      next = Math.min(offset, batch.baseOffset)
      return false
    })
    const cut = end < this.size
    this.#offsetIndex.truncateTo(offset)
    this.#timeIndex.truncateTo(offset)
    this.transactionIndex.truncateTo(offset)
    if (cut) this.cutAt(end)
    this.#restoreTimes()
    this.#bytesSinceIndexEntry = 0
    this.resumeTail(false)
    this.nextOffset = Math.max(next, this.baseOffset)
    return cut
  }

  /** Cuts the file at a position, durably: bytes written later must not mix with what was there. */
  cutAt(position: number): void {
    this.file.truncate(position)
    this.file.sync()
    this.readPositions.clear()
    this.size = position
    this.#trustedFrom = Math.min(this.#trustedFrom, position)
    this.#checkedTo = Math.min(this.#checkedTo, position)
    this.#checkedFrom = Math.min(this.#checkedFrom, this.#checkedTo)
    this.#damagedTail = false
  }

  /** Writes the indexes to their files; those of a segment that will not grow get their last time entry. */
  writeIndexes(): void {
    if (!this.#indexesLoaded) return
    this.#timeIndex.maybeAppend(this.#maxTimestamp ?? NO_TIMESTAMP, this.#maxTimestampOffset)
    this.#offsetIndex.file.write(true)
    this.#timeIndex.file.write(true)
    if (this.#transactionsLoaded) this.#transactionIndex.file.write(false)
  }

  syncIndexes(): void {
    this.#offsetIndex.file.sync()
    this.#timeIndex.file.sync()
    this.#transactionIndex.file.sync()
  }

  /** Its place in the log was taken by another, or it left the log: nothing may use its files any more. */
  get isRetired(): boolean {
    return this.#retired
  }

  /** Lets go of the files, which are no longer this segment's. */
  retire(): void {
    this.#retired = true
    this.#closeFile()
  }

  /** Keeps the file open while an asynchronous sync runs on it. */
  async syncLater(): Promise<void> {
    // What took its place is durable already.
    if (this.#retired) return
    const { file } = this
    this.#pins++
    try {
      await file.syncLater()
    } finally {
      this.#pins--
      if (this.#pins === 0 && this.#file !== file) file.close()
    }
  }

  release(): boolean {
    if (this.#pins > 0) return false
    if (!this.#active) {
      if (this.#indexesLoaded) {
        this.writeIndexes()
        this.#offsetIndex.file.release()
        this.#timeIndex.file.release()
        this.#indexesLoaded = false
      }
      if (this.#transactionsLoaded) {
        this.#transactionIndex.file.release()
        this.#transactionsLoaded = false
      }
    }
    this.#file?.close()
    this.#file = undefined
    return true
  }

  close(): void {
    // After a refused write the file may be longer than its batches; a clean shutdown must not leave that.
    if (this.#damagedTail) this.cutAt(this.size)
    this.retire()
  }

  /** Removes the files: the log first, since the segment exists as long as it does. */
  delete(): void {
    this.retire()
    this.#disk.remove(this.path)
    this.#disk.syncDirectory(this.directory)
    for (const index of [this.#offsetIndex, this.#timeIndex, this.#transactionIndex]) this.#disk.remove(index.file.path)
  }

  /**
   * Continues after a clean start or a truncation: takes the batches behind the last index entry into times and end
   * offset, without new index entries. Answers where they stop being batches.
   */
  resumeTail(checkCrc: boolean): Damage | undefined {
    const { count } = this.offsetIndex
    const start = count === 0 ? 0 : this.#offsetIndex.positionAt(count - 1)
    const { damage, end } = scanBatches(this.file, start, this.size, checkCrc, (batch, position) => {
      this.#bytesSinceIndexEntry = position - start + batch.sizeInBytes
      this.nextOffset = batch.nextOffset
      const timestamp = batch.maxTimestamp
      if (timestamp > this.#maxTimestamp!) {
        this.#maxTimestamp = timestamp
        this.#maxTimestampOffset = batch.lastOffset
      }
    })
    if (checkCrc) this.trust(start, end)
    return damage
  }

  /** A sync that is under way closes the file when it is done. */
  #closeFile(): void {
    if (this.#pins === 0) this.#file?.close()
    this.#file = undefined
    this.#open.forget(this)
  }

  #loadIndexes(): void {
    if (this.#indexesLoaded) return
    this.#open.touch(this)
    let sane = false
    try {
      sane = this.#offsetIndex.file.load() && this.#timeIndex.file.load()
    } catch (cause) {
      if (!(cause instanceof CorruptLogError)) throw cause
    }
    this.#indexesLoaded = true
    if (
      sane &&
      this.#offsetIndex.isSane(this.size) &&
      this.#timeIndex.isSane() &&
      (this.#timeIndex.count > 0 || this.size === 0)
    ) {
      this.#restoreTimes()
      return
    }
    this.#rebuildIndexes()
  }

  /** Missing or damaged indexes are made anew from the batches, which are checked on the way. */
  #rebuildIndexes(): void {
    const { size, nextOffset } = this
    this.#offsetIndex.file.reset()
    this.#timeIndex.file.reset()
    this.#maxTimestamp = NO_TIMESTAMP
    this.#bytesSinceIndexEntry = 0
    const { damage } = scanBatches(this.file, 0, size, true, (batch, position) => this.account(batch, position))
    if (damage !== undefined) throw new CorruptLogError(this.path, damage.position, damage.reason)
    this.size = size
    this.nextOffset = Math.max(nextOffset, this.nextOffset)
    this.trust(0, size)
  }

  #restoreTimes(): void {
    const { count } = this.#timeIndex
    this.#maxTimestamp = count === 0 ? NO_TIMESTAMP : this.#timeIndex.timestampAt(count - 1)
    this.#maxTimestampOffset = count === 0 ? this.baseOffset : this.#timeIndex.offsetAt(count - 1)
    if (this.size === 0) this.#firstTimestamp = undefined
  }

  #lastTimeEntry(): number | undefined {
    const path = this.#timeIndex.file.path
    if (!this.#disk.exists(path)) return undefined
    const file = this.#disk.open(path, { readOnly: true })
    try {
      const size = file.size()
      if (size < TIME_ENTRY_BYTES || size % TIME_ENTRY_BYTES !== 0) return undefined
      const entry = new Uint8Array(TIME_ENTRY_BYTES)
      file.read(entry, 0, TIME_ENTRY_BYTES, size - TIME_ENTRY_BYTES)
      return int64At(entry, 0)
    } finally {
      file.close()
    }
  }
}
