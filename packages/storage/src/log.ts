/**
 * One partition's log.
 *
 *   logStartOffset <= recoveryPoint, high watermark <= logEndOffset
 *
 * Appending validates, assigns offsets in the caller's buffer and writes it with one call; reading gives slices of one
 * buffer. The high watermark belongs to the partition that owns the log and is passed in. Everything is synchronous and
 * everything after a refused write is as it was before it.
 *
 * Who appends to a log with flush.messages or flush.ms set answers its client only after `flushLater()` when the result
 * says `flushDue`: many appends then share one sync.
 */
import { type Disk, invariant } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol/errors"
import { NO_TIMESTAMP, RecordBatchView } from "@millrace/protocol/record/batch"
import { endTxnMarkerOf } from "@millrace/protocol/record/control"
import { ascends, validate } from "./append.ts"
import type { AppendOptions, Appended, AppendResult } from "./append-result.ts"
import { Replacement } from "./cleaner/replacement.ts"
import { Flusher } from "./flusher.ts"
import type { LeaderEpochs } from "./leader-epochs.ts"
import type { LogConfig } from "./log-config.ts"
import { LogNames } from "./log-names.ts"
import type { LogOptions } from "./log-options.ts"
import { OpenSegments } from "./open-segments.ts"
import type { ProducerEntry } from "./producer-entry.ts"
import type { ProducerSnapshots } from "./producer-snapshots.ts"
import type { ProducerState, Refusal } from "./producer-state.ts"
import { readTopicId } from "./properties.ts"
import {
  findMaxTimestamp,
  findTimestamp,
  type LogRead,
  type ReadOptions,
  readSegments,
  type TimestampOffset,
} from "./read.ts"
import { recompress } from "./recompress.ts"
import { loadLog, replay } from "./recovery.ts"
import { segmentsToDelete } from "./retention.ts"
import { Segment } from "./segment.ts"
import { isReadWhole, type SegmentList } from "./segment-list.ts"
import { SyncTurns } from "./sync-turns.ts"
import type { AbortedTransaction } from "./transaction-index.ts"

export class Log {
  readonly dir: string
  readonly topicId: string | undefined
  config: LogConfig
  readonly #disk: Disk
  readonly #openSegments: OpenSegments
  readonly #segments: SegmentList
  readonly #producers: ProducerState
  readonly #snapshots: ProducerSnapshots
  readonly #epochs: LeaderEpochs
  readonly #names: LogNames
  readonly #flusher: Flusher
  readonly #options: LogOptions
  /** Where it ended when it was opened: what lies behind was written since. */
  readonly endOffsetAtOpen: number
  #logStartOffset: number
  /** When the oldest unflushed append came. */
  #unflushedSince: number | undefined
  #closed = false

  static open(disk: Disk, dir: string, config: LogConfig, options: LogOptions): Log {
    return new Log(disk, dir, config, options)
  }

  private constructor(disk: Disk, dir: string, config: LogConfig, options: LogOptions) {
    this.#disk = disk
    this.dir = dir
    this.config = config
    this.#options = options
    this.#openSegments = options.openSegments ?? new OpenSegments()
    this.topicId = readTopicId(disk, dir)
    const recoveryPoint = "recoveryPoint" in options ? options.recoveryPoint : 0
    const loaded = loadLog({
      disk,
      directory: dir,
      config,
      now: options.now,
      cleanShutdown: options.cleanShutdown,
      recoveryPoint,
      logStartOffset: options.logStartOffset ?? 0,
      wasCleaned: options.wasCleaned ?? false,
      openSegments: this.#openSegments,
      isNew: options.syncName !== undefined,
      onRecovered: options.onRecovered ?? (() => {}),
    })
    this.#segments = loaded.segments
    this.#producers = loaded.producers
    this.#snapshots = loaded.snapshots
    this.#epochs = loaded.epochs
    this.#logStartOffset = loaded.logStartOffset
    this.endOffsetAtOpen = this.logEndOffset
    const durable = options.cleanShutdown ? this.logEndOffset : Math.min(recoveryPoint ?? 0, this.logEndOffset)
    this.#names = new LogNames(disk, dir, options.syncName)
    // A killed process may have made the last segment's file, and never its name durable.
    const { baseOffset } = this.#segments.active
    if (!options.cleanShutdown && baseOffset > 0 && (recoveryPoint ?? 0) <= baseOffset) this.#names.mark()
    const turns = options.syncTurns ?? new SyncTurns()
    this.#flusher = new Flusher(this.#names, turns, this.#segments, this.#snapshots, this.#epochs, durable)
    // What a killed process left in the page cache was never acknowledged, but its retry will be, as a duplicate: it must
    // be as durable as if it had been appended now.
    if (this.logEndOffset - this.recoveryPoint >= config.flushMessages) this.flush()
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  get logEndOffset(): number {
    return this.#segments.active.nextOffset
  }

  get recoveryPoint(): number {
    return this.#flusher.recoveryPoint
  }

  get latestEpoch(): number {
    return this.#epochs.latest
  }

  /** Bytes of all segments. */
  get size(): number {
    return this.#segments.all.reduce((total, { size }) => total + size, 0)
  }

  get segmentCount(): number {
    return this.#segments.count
  }

  append(bytes: Uint8Array, options: AppendOptions): AppendResult {
    invariant(!this.#closed, `an append to ${this.dir}, which is closed`)
    this.#flusher.assertSound()
    const { origin, now } = options
    const validation = validate(bytes, origin, this.config, now)
    if (!validation.ok) return { ...validation, logStartOffset: this.#logStartOffset }
    let content = bytes
    let batches = validation.batches
    const first = batches[0]!
    if (origin !== "replication") {
      const duplicate = origin === "client" && first.hasProducerId ? this.#producers.findDuplicate(first) : undefined
      if (duplicate !== undefined) {
        return this.#appended(
          duplicate.lastOffset - duplicate.offsetDelta,
          duplicate.lastOffset,
          duplicate.timestamp,
          true,
        )
      }
      for (const batch of batches) {
        const refusal = this.#checkProducer(batch, options)
        if (refusal !== undefined) return { ok: false, ...refusal, logStartOffset: this.#logStartOffset }
      }
      const codec = this.config.compressionType
      if (origin === "client" && codec !== "producer" && codec !== first.compression) {
        content = recompress(first, codec, this.config.decompressedBytesMax)
        batches = [new RecordBatchView(content)]
      }
      let next = this.logEndOffset
      for (const batch of batches) {
        batch.baseOffset = next
        batch.partitionLeaderEpoch = options.leaderEpoch
        next = batch.nextOffset
      }
    } else if (!ascends(batches, this.logEndOffset)) {
      const message = `replicated batches do not ascend from the log's end, ${this.logEndOffset}`
      return { ok: false, error: ErrorCode.CORRUPT_MESSAGE, message, logStartOffset: this.#logStartOffset }
    }
    return this.#write(content, batches, now)
  }

  #write(bytes: Uint8Array, batches: readonly RecordBatchView[], now: number): Appended {
    const first = batches[0]!
    const last = batches[batches.length - 1]!
    let maxTimestamp = NO_TIMESTAMP
    for (const batch of batches) if (batch.maxTimestamp > maxTimestamp) maxTimestamp = batch.maxTimestamp
    const { lastOffset } = last
    if (this.#segments.active.mustRoll(bytes.length, lastOffset, maxTimestamp, this.config, now)) this.roll(now)
    const segment = this.#segments.active
    segment.append([bytes], batches)
    for (const batch of batches) {
      this.#epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
      const completed = this.#producers.apply(batch, now)
      if (completed?.aborted) {
        const { producerId, firstOffset, lastStableOffset } = completed
        segment.transactionIndex.append(producerId, firstOffset, completed.lastOffset, lastStableOffset)
      }
    }
    this.#unflushedSince ??= now
    const stamped = this.#stampsAppendTime && !first.isControl ? first.maxTimestamp : NO_TIMESTAMP
    return this.#appended(first.baseOffset, lastOffset, stamped, false)
  }

  #appended(baseOffset: number, lastOffset: number, logAppendTime: number, duplicate: boolean): Appended {
    // A duplicate waits for the flush as its first append does: its answer says that the batch is stored.
    const flushDue = this.logEndOffset - this.recoveryPoint >= this.config.flushMessages
    return {
      ok: true,
      baseOffset,
      lastOffset,
      logAppendTime,
      logStartOffset: this.#logStartOffset,
      duplicate,
      flushDue,
    }
  }

  get #stampsAppendTime(): boolean {
    return this.config.messageTimestampType === "LogAppendTime"
  }

  #checkProducer(batch: RecordBatchView, options: AppendOptions): Refusal | undefined {
    if (!batch.hasProducerId) return undefined
    if (batch.isControl) {
      const marker = endTxnMarkerOf(batch)
      if (marker === undefined) return undefined
      return this.#producers.checkMarker(batch, marker, options.transactionVersion ?? 0)
    }
    return this.#producers.checkData(batch, {
      checkSequence: options.origin === "client",
      requiresVerification: options.requiresVerification ?? false,
    })
  }

  /** Whole batches from the one that holds `fromOffset` on. Offsets outside of the log are out of range. */
  read(fromOffset: number, options: ReadOptions): LogRead | "OFFSET_OUT_OF_RANGE" {
    if (fromOffset < this.#logStartOffset || fromOffset > this.logEndOffset) return "OFFSET_OUT_OF_RANGE"
    return readSegments(this.#segments, fromOffset, options)
  }

  /** Aborted transactions that overlap [fromOffset, upperBound), in the order of their markers. */
  abortedTransactions(fromOffset: number, upperBound: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (let index = Math.max(this.#segments.indexFor(fromOffset), 0); index < this.#segments.count; index++) {
      if (this.#segments.at(index)!.transactionIndex.collect(fromOffset, upperBound, found)) break
    }
    return found
  }

  /** What a read_committed reader may see up to (exclusive), given the high watermark. */
  lastStableOffset(highWatermark: number): number {
    const first = this.#producers.firstUnstableOffset(highWatermark)
    if (first === undefined || first >= highWatermark) return highWatermark
    // The start of an open transaction may be deleted; who is sent there would find nothing but OFFSET_OUT_OF_RANGE.
    return Math.max(first, Math.min(this.#logStartOffset, highWatermark))
  }

  /** To be told whenever it moves: what waits for it in memory would grow in a log that nobody reads. */
  highWatermarkAdvanced(highWatermark: number): void {
    this.#producers.highWatermarkAdvanced(highWatermark)
  }

  /** Completed transactions remembered because their marker may not be replicated. */
  get unreplicatedTransactions(): number {
    return this.#producers.unreplicatedCount
  }

  /** First offset of the earliest open transaction. */
  get firstUnstableOffset(): number | undefined {
    return this.#producers.firstOpenOffset
  }

  /** The first record at or after `timestamp` whose offset is below `limit`. */
  offsetForTimestamp(timestamp: number, limit: number = this.logEndOffset): TimestampOffset | undefined {
    return findTimestamp(this.#segments, this.#epochs, timestamp, this.#logStartOffset, limit)
  }

  /** The first record that has the log's greatest timestamp. */
  offsetForMaxTimestamp(limit: number = this.logEndOffset): TimestampOffset | undefined {
    return findMaxTimestamp(this.#segments, this.#epochs, this.#logStartOffset, limit)
  }

  /** KIP-101: the largest epoch up to `epoch` and where it ends; -1, -1 when that is not known. */
  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    return this.#epochs.endOffsetFor(epoch, this.logEndOffset)
  }

  /** The leader epoch that wrote `offset`, -1 when no batch says. */
  epochOf(offset: number): number {
    return this.#epochs.epochOf(offset)
  }

  /** A leader starts its epoch at the log's end, before it writes. */
  assignEpoch(epoch: number): void {
    this.#epochs.assign(epoch, this.logEndOffset)
  }

  /** Raises the log start offset (DeleteRecords), durably, and deletes segments that lie below it. */
  deleteRecordsBefore(offset: number): void {
    if (offset <= this.#logStartOffset) return
    invariant(offset <= this.logEndOffset, `records before ${offset} are deleted, the log ends at ${this.logEndOffset}`)
    const before = this.#logStartOffset
    this.#logStartOffset = offset
    // Whoever asked is told that the records are gone: the new start must not be lost, nor lie behind the data.
    try {
      this.flush()
      this.#options.onCheckpointNeeded?.(this)
    } catch (cause) {
      this.#logStartOffset = before
      throw cause
    }
    this.#deleteOldest(
      segmentsToDelete(this.#segments.all, { ...this.config, cleanupPolicy: [] }, offset, this.logEndOffset, 0),
    )
  }

  /** Deletes what retention and the log start offset allow, nothing at or above the high watermark. */
  retain(now: number, highWatermark: number): number {
    const facts = this.#segments.all
    const count = segmentsToDelete(facts, this.config, this.#logStartOffset, highWatermark, now)
    if (count > 0 && count === facts.length) this.roll(now)
    return this.#deleteOldest(count)
  }

  /** One by one, each removal durable before the next: a crash in between must not leave a gap. */
  #deleteOldest(count: number): number {
    let deleted = 0
    while (deleted < count && this.#segments.count > 1) {
      // Producers live on in the snapshot at the next segment's start: it has to be durable before the data goes.
      if (this.recoveryPoint < this.#segments.at(1)!.baseOffset) this.flush()
      const removed = this.#segments.shift()!
      removed.delete()
      this.#logStartOffset = Math.max(this.#logStartOffset, this.#segments.first.baseOffset)
      deleted++
    }
    if (deleted > 0) this.#snapshots.prune(this.#segments.all.map(({ baseOffset }) => baseOffset))
    this.#epochs.truncateFromStart(this.#logStartOffset)
    return deleted
  }

  /** For the cleaner: the segments in offset order, the active one last. */
  get segments(): readonly Segment[] {
    return this.#segments.all
  }

  /**
   * Makes all that is written durable, and known to be: recovery takes a gap between segments for a loss, and must not
   * look where cleaning leaves some.
   */
  async settle(): Promise<void> {
    await this.flushLater()
    if (!this.#closed) this.#options.onCheckpointNeeded?.(this)
  }

  startReplacement(baseOffset: number): Replacement {
    return new Replacement(this.#disk, this.#openSegments, this.dir, baseOffset, this.config, this.#options.now)
  }

  /** Puts a sealed segment in the place of neighbours below the recovery point. A fault in here leaves the log unusable. */
  replaceSegments(old: readonly Segment[], replacement: Replacement): void {
    const index = this.#segments.all.indexOf(old[0]!)
    const { nextOffset } = old.at(-1)!
    invariant(index >= 0 && !this.#closed, `segments are replaced that are not in ${this.dir}`)
    invariant(
      replacement.isSealed && nextOffset <= this.recoveryPoint,
      `segments of ${this.dir} are replaced too early`,
    )
    for (const segment of old) segment.retire()
    replacement.swapIn(old.map(({ baseOffset }) => baseOffset))
    const cleaned = this.#newSegment(replacement.baseOffset, this.#options.now)
    cleaned.attach(nextOffset)
    cleaned.trust(0, cleaned.size)
    this.#segments.replace(index, old.length, cleaned)
    this.#snapshots.prune(this.#segments.all.map(({ baseOffset }) => baseOffset))
  }

  /** Cuts everything from `offset` on, for a follower whose leader has it otherwise. */
  truncateTo(offset: number): void {
    if (offset >= this.logEndOffset) return
    if (offset < this.#segments.first.baseOffset) return this.truncateFullyAndStartAt(offset)
    // The last segment first: a crash in between leaves a shorter log, never one with a gap.
    while (this.#segments.count > 1 && this.#segments.active.baseOffset >= offset) {
      const removed = this.#segments.pop()!
      removed.delete()
    }
    this.#segments.active.truncateTo(offset)
    this.#afterTruncation(Math.min(this.#logStartOffset, this.logEndOffset))
  }

  /** Empties the log and lets it go on at `offset`. */
  truncateFullyAndStartAt(offset: number): void {
    while (this.#segments.count > 0) this.#segments.pop()!.delete()
    this.#epochs.clear()
    this.#snapshots.removeAbove(-1)
    this.#startSegment(offset, this.#options.now)
    this.#disk.syncDirectory(this.dir)
    this.#afterTruncation(offset)
  }

  #afterTruncation(logStartOffset: number): void {
    const end = this.logEndOffset
    this.#logStartOffset = logStartOffset
    this.#epochs.truncateFromEnd(end)
    this.#snapshots.removeAbove(end)
    replay(this.#segments, this.#producers, this.#snapshots, end, this.#options.now)
    this.#flusher.lower(end)
    this.#epochs.save()
    this.#options.onCheckpointNeeded?.(this)
  }

  /** Closes the active segment and starts another at the log's end. Does nothing when the active one is empty. */
  roll(now: number): void {
    const previous = this.#segments.active
    if (previous.size === 0) return
    const end = this.logEndOffset
    previous.writeIndexes()
    this.#snapshots.take(this.#producers, end)
    if (this.recoveryPoint >= end) {
      // The recovery point covers the segment already, though not its indexes: recovery would not rebuild them.
      previous.syncIndexes()
      this.#snapshots.sync(end)
      this.#epochs.save()
      this.#disk.syncDirectory(this.dir)
    }
    this.#names.syncIfNew()
    this.#startSegment(end, now)
    this.#names.mark()
  }

  #newSegment(baseOffset: number, now: number): Segment {
    return new Segment(this.#disk, this.#openSegments, this.dir, baseOffset, this.config.indexIntervalBytes, now)
  }

  #startSegment(baseOffset: number, now: number): void {
    const segment = this.#newSegment(baseOffset, now)
    segment.create()
    this.#segments.push(segment)
  }

  /** Makes the whole log durable before it returns. */
  flush(): void {
    this.#flusher.flush()
    this.#unflushedSince = undefined
  }

  /** Makes the whole log durable without blocking; concurrent callers share one sync. */
  async flushLater(): Promise<void> {
    const since = this.#unflushedSince
    this.#unflushedSince = undefined
    try {
      await this.#flusher.flushLater()
    } catch (cause) {
      this.#unflushedSince ??= since
      throw cause
    }
  }

  /**
   * When the log is to be flushed at the latest, or undefined: as flush.ms says, and after a roll at once, so that a
   * start after a crash has only the last segment to read. In the background, by `flushLater`.
   */
  get flushDueAt(): number | undefined {
    const { active } = this.#segments
    if (this.recoveryPoint < active.baseOffset) return active.createdAt
    return this.#unflushedSince === undefined ? undefined : this.#unflushedSince + this.config.flushMs
  }

  /** Producers of which the log remembers something, for DescribeProducers. */
  activeProducers(): readonly ProducerEntry[] {
    return [...this.#producers.producers.values()]
  }

  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    return this.#producers.hasOpenTransaction(producerId, producerEpoch)
  }

  /** Forgets producers idle for longer than producer.id.expiration.ms. */
  expireProducers(now: number): number {
    return this.#producers.expire(now, this.config.producerIdExpirationMs)
  }

  /** `clean`: flushes, and writes all that a start needs to take the files at their word. */
  close(clean: boolean): void {
    if (this.#closed) return
    this.#closed = true
    try {
      if (clean) this.#settleForStart()
    } finally {
      this.#flusher.stop()
      for (const segment of this.#segments.all) segment.close()
    }
  }

  #settleForStart(): void {
    const { active } = this.#segments
    if (!isReadWhole(this.#segments)) {
      this.#snapshots.take(this.#producers, this.logEndOffset)
      active.writeIndexes()
      active.syncIndexes()
      this.#names.mark()
    }
    this.#flusher.flush()
    this.#snapshots.prune(this.#segments.all.map(({ baseOffset }) => baseOffset))
  }
}
