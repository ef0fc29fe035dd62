/**
 * Where a consumer stands in one partition: what was handed out, what is buffered behind that, what to fetch next. Pure.
 *
 * Invariants: `position` <= first buffered offset <= `fetchOffset`; a seek drops the buffer and moves `stamp`, so that an
 * answer to a fetch from before the seek is recognised and thrown away; batches leave in offset order through the filter.
 */
import { batches, type RecordBatchView } from "@millrace/protocol/record/batch"
import { ErrorCode } from "@millrace/protocol"
import { AbortedFilter, type AbortedTransaction } from "./aborted-filter.ts"
import { FetchedPartition } from "./fetched.ts"

/** One partition's part of a Fetch answer. */
export interface FetchData {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly records: Uint8Array | null
}

/** A buffered answer that is being handed out. */
interface Buffered {
  readonly data: FetchData
  readonly views: readonly RecordBatchView[]
  next: number
  begun: boolean
}

/** An end of a log that moves on. */
export interface ReadableEnd {
  readonly offset: number
  /** It was so then, by the wall clock. */
  readonly askedAt: number
}

export interface TakeLimits {
  readonly records: number
  readonly bytes: number
}

export class PartitionState {
  readonly topic: string
  readonly partition: number
  paused = false
  /** No fetch before this monotonic time. */
  backoffUntil = 0
  /** Moves whenever buffered and requested data stops to count. */
  stamp = 0
  highWatermark = -1
  lastStableOffset = -1
  logStartOffset = -1
  /** When an answer brought all that the log had, by the wall clock; undefined since the last seek. */
  endSeenAt: number | undefined
  #answeredAt: number | undefined
  readonly #readCommitted: boolean
  readonly #checkCrcs: boolean
  readonly #filter = new AbortedFilter()
  readonly #buffer: Buffered[] = []
  #bufferedBytes = 0
  #position: number | undefined
  #leaderEpoch = -1
  #fetchOffset = -1
  #outOfRange = false

  constructor(
    topic: string,
    partition: number,
    options: { readonly readCommitted: boolean; readonly checkCrcs: boolean },
  ) {
    this.topic = topic
    this.partition = partition
    this.#readCommitted = options.readCommitted
    this.#checkCrcs = options.checkCrcs
  }

  /** Offset of the next record to hand out; undefined until it was looked up. */
  get position(): number | undefined {
    return this.#position
  }
  /** Leader epoch of the last batch handed out. */
  get leaderEpoch(): number {
    return this.#leaderEpoch
  }
  get fetchOffset(): number {
    return this.#fetchOffset
  }
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }
  get hasBuffered(): boolean {
    return this.#buffer.length > 0
  }
  /** Up to where it could be read when the last answer was asked for, by the wall clock; undefined since the last seek. */
  get readableEnd(): ReadableEnd | undefined {
    if (this.#answeredAt === undefined) return undefined
    return { offset: this.#readCommitted ? this.lastStableOffset : this.highWatermark, askedAt: this.#answeredAt }
  }
  /** The log does not have the position (any more): the reset policy decides. */
  get isOutOfRange(): boolean {
    return this.#outOfRange && this.#buffer.length === 0
  }

  seek(offset: number, leaderEpoch = -1): void {
    this.stamp++
    this.#position = offset
    this.#leaderEpoch = leaderEpoch
    this.#fetchOffset = offset
    this.#buffer.length = 0
    this.#bufferedBytes = 0
    this.#outOfRange = false
    this.backoffUntil = 0
    this.endSeenAt = undefined
    this.#answeredAt = undefined
    this.#filter.reset()
  }

  /**
   * Takes an answer to a fetch from `fetchOffset`, with data or out of range; true when it has anything to hand out. `now`:
   * when the fetch was asked for, by the wall clock.
   */
  accept(data: FetchData, now?: number): boolean {
    if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      this.#outOfRange = true
      return true
    }
    this.highWatermark = data.highWatermark
    this.lastStableOffset = data.lastStableOffset
    this.logStartOffset = data.logStartOffset
    this.#answeredAt = now
    const { records } = data
    const views = records === null ? [] : [...batches(records)].filter((view) => view.nextOffset > this.#fetchOffset)
    const last = views.at(-1)
    if ((last?.nextOffset ?? this.#fetchOffset) >= data.highWatermark) this.endSeenAt = now
    if (records === null || !last) return false
    this.#buffer.push({ data, views, next: 0, begun: false })
    this.#bufferedBytes += records.length
    this.#fetchOffset = last.nextOffset
    return true
  }

  /** Hands out whole batches up to the limits, at least one; undefined when nothing is buffered. */
  take(limits: TakeLimits): FetchedPartition | undefined {
    const buffered = this.#buffer[0]
    if (!buffered) return undefined
    if (!buffered.begun) {
      buffered.begun = true
      this.#filter.begin(buffered.data.abortedTransactions)
    }
    const startOffset = this.#position!
    const taken: RecordBatchView[] = []
    let [records, bytes] = [0, 0]
    while (buffered.next < buffered.views.length && records < limits.records && bytes < limits.bytes) {
      const view = buffered.views[buffered.next]!
      if (!this.#isValid(view)) {
        // What came before it is handed out first; the position stays here, so that no later poll passes it silently.
        if (this.#position! > startOffset) break
        throw new CorruptBatch(this.topic, this.partition, view.baseOffset)
      }
      buffered.next++
      this.#position = view.nextOffset
      if (view.partitionLeaderEpoch >= 0) this.#leaderEpoch = view.partitionLeaderEpoch
      if (!this.#admits(view)) continue
      taken.push(view)
      records += view.recordCount
      bytes += view.sizeInBytes
    }
    const { data } = buffered
    if (buffered.next === buffered.views.length) {
      this.#buffer.shift()
      this.#bufferedBytes -= data.records!.length
    }
    return new FetchedPartition({
      topic: this.topic,
      partition: this.partition,
      batches: taken,
      startOffset,
      nextOffset: this.#position!,
      highWatermark: data.highWatermark,
      lastStableOffset: data.lastStableOffset,
      logStartOffset: data.logStartOffset,
      leaderEpoch: this.#leaderEpoch,
    })
  }

  #admits(view: RecordBatchView): boolean {
    if (view.isControl) {
      if (this.#readCommitted) this.#filter.marker(view.lastOffset, view.producerId)
      return false
    }
    if (this.#readCommitted && !this.#filter.admits(view)) return false
    // Compaction keeps emptied batches for their sequence numbers.
    return view.recordCount > 0
  }

  #isValid(view: RecordBatchView): boolean {
    return !this.#checkCrcs || view.isValidCrc()
  }
}

/** A batch does not match its checksum: the data was damaged on its way or on the broker's disk. */
export class CorruptBatch extends Error {
  override readonly name = "CorruptBatch"
  constructor(topic: string, partition: number, offset: number) {
    super(`${topic}-${partition}: the batch at offset ${offset} does not match its checksum; seek behind it to skip it`)
  }
}
