/**
 * The records of one input partition that a task has and has not processed: a queue of batches with a cursor in the first.
 *
 * Nothing is decoded before its turn: the head is a cursor's current record, of which the queue looks at the timestamp.
 */
import type { Headers, Origin } from "../dsl/record.ts"
import { NO_TIME } from "../state/cell.ts"

/** Steps through the records of a fetched batch; what it answers is valid until the next step. */
export interface RecordCursor {
  next(): boolean
  readonly offset: number
  readonly timestamp: number
  key(): Uint8Array | null
  value(): Uint8Array | null
  headers(): Headers
}

interface FetchedBatch {
  /** Made when its turn comes, since that may decompress. */
  readonly open: () => RecordCursor
  /** Records below were asked for by nobody. */
  readonly startOffset: number
  readonly recordCount: number
  nextOffset: number
}

export class RecordQueue implements Origin {
  readonly topic: string
  readonly partition: number
  /** The record whose turn it is; undefined when the queue is empty. */
  head: RecordCursor | undefined
  /** Tells the head's event time, where that is not the record's own timestamp. */
  timestampOf: (() => number) | undefined
  /** Kept by the reader of a repartition topic. */
  horizon = NO_TIME
  /** So is this: how far time had come when the last of its upstream tasks became idle; NO_TIME while one is not. */
  idleTime = NO_TIME
  /** When a fetch brought all that the log held, by the wall clock. */
  endSeenAt = NO_TIME
  /** Records at hand, roughly: batches count whole until they are used up. */
  bufferedRecords = 0
  /** Where the log was known to end when it was last fetched; undefined before the first fetch. */
  #knownEnd: number | undefined
  #batches: FetchedBatch[] = []
  #position: number

  constructor(topic: string, partition: number, position: number) {
    this.topic = topic
    this.partition = partition
    this.#position = position
  }

  /** The event time of the head, of which there must be one. */
  get headTimestamp(): number {
    return this.timestampOf === undefined ? this.head!.timestamp : this.timestampOf()
  }

  add(open: () => RecordCursor, recordCount: number, nextOffset: number, startOffset = 0): void {
    this.#batches.push({ open, recordCount, nextOffset, startOffset })
    this.bufferedRecords += recordCount
    if (this.head === undefined) this.#open()
  }

  /** The consumer read up to here, and the log ended there: both as of one fetch. */
  fetched(nextOffset: number, endOffset: number): void {
    this.#knownEnd = endOffset
    const last = this.#batches.at(-1)
    // Markers and gaps behind what is at hand are passed with it: nothing will be fetched there again.
    if (last === undefined) this.#position = Math.max(this.#position, nextOffset)
    else last.nextOffset = Math.max(last.nextOffset, nextOffset)
  }

  /** At that time, by the wall clock, or later there was nothing more to take than has been taken by now. */
  hadNothingAt(time: number): boolean {
    return this.head === undefined && this.endSeenAt >= time
  }

  /** The head has been processed. */
  advance(): void {
    if (this.head!.next()) return
    this.#close(this.#batches[0]!)
    this.#open()
  }

  /** Nothing at hand, and the log was known to hold nothing more: waiting for it would wait for new data. */
  get isCaughtUp(): boolean {
    return this.head === undefined && this.#knownEnd !== undefined && this.#position >= this.#knownEnd
  }

  /** Records (and markers) between here and where the log ended when it was last fetched. */
  get lag(): number {
    return Math.max(0, (this.#knownEnd ?? this.position) - this.position)
  }

  /** What to commit: the first record not processed, or where the consumer stands, past transaction markers. */
  get position(): number {
    return this.head === undefined ? this.#position : this.head.offset
  }

  /** Forgets what is at hand and starts again from an offset. Where the log was known to end, it still does at least. */
  reset(position: number): void {
    this.head = undefined
    this.#batches = []
    this.bufferedRecords = 0
    this.endSeenAt = NO_TIME
    this.#position = position
  }

  #open(): void {
    for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
      const cursor = batch.open()
      let hasNext = cursor.next()
      while (hasNext && cursor.offset < batch.startOffset) hasNext = cursor.next()
      if (hasNext) {
        this.head = cursor
        return
      }
      this.#close(batch)
    }
    this.head = undefined
  }

  #close(batch: FetchedBatch): void {
    this.#position = batch.nextOffset
    this.bufferedRecords -= batch.recordCount
    this.#batches.shift()
  }
}
