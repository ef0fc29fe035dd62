/**
 * What `poll` yields: whole record batches of one partition, as they came off the wire. No object per record; a reader
 * walks them in place.
 *
 * The bytes are views of the broker's answer and stay valid as long as they are referenced.
 */
import { type RecordHeader, RecordReader } from "@millrace/protocol/record/record"
import type { RecordBatchView } from "@millrace/protocol/record/batch"

export class FetchedPartition {
  readonly topic: string
  readonly partition: number
  /** Data batches in offset order; the first one may begin before `startOffset`. */
  readonly batches: readonly RecordBatchView[]
  /** Records below it were asked for by nobody. */
  readonly startOffset: number
  /** The position after this: also behind markers, aborted records and gaps. */
  readonly nextOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Leader epoch of the last batch, for commits; -1 when unknown. */
  readonly leaderEpoch: number

  constructor(fields: {
    readonly topic: string
    readonly partition: number
    readonly batches: readonly RecordBatchView[]
    readonly startOffset: number
    readonly nextOffset: number
    readonly highWatermark: number
    readonly lastStableOffset: number
    readonly logStartOffset: number
    readonly leaderEpoch: number
  }) {
    this.topic = fields.topic
    this.partition = fields.partition
    this.batches = fields.batches
    this.startOffset = fields.startOffset
    this.nextOffset = fields.nextOffset
    this.highWatermark = fields.highWatermark
    this.lastStableOffset = fields.lastStableOffset
    this.logStartOffset = fields.logStartOffset
    this.leaderEpoch = fields.leaderEpoch
  }

  /** Records in the batches; those below `startOffset` are counted too. */
  get recordCount(): number {
    let count = 0
    for (const batch of this.batches) count += batch.recordCount
    return count
  }

  get sizeInBytes(): number {
    let size = 0
    for (const batch of this.batches) size += batch.sizeInBytes
    return size
  }

  /** Calls `sink` with a cursor standing on each record in turn; the cursor is reused. */
  forEach(sink: (record: RecordReader) => void): void {
    const { startOffset } = this
    for (const batch of this.batches) {
      const reader = new RecordReader(batch)
      while (reader.next()) if (reader.offset >= startOffset) sink(reader)
    }
  }

  /** The same as a cursor that is pulled: `while (cursor.next()) cursor.record.value()`. */
  cursor(): FetchedCursor {
    return new FetchedCursor(this)
  }
}

export class FetchedCursor {
  readonly #fetched: FetchedPartition
  #index = 0
  #reader: RecordReader | undefined

  constructor(fetched: FetchedPartition) {
    this.#fetched = fetched
  }

  /** Moves to the next record; false behind the last one. */
  next(): boolean {
    const { batches, startOffset } = this.#fetched
    for (;;) {
      if (this.#reader === undefined) {
        const batch = batches[this.#index++]
        if (batch === undefined) return false
        this.#reader = new RecordReader(batch)
      }
      while (this.#reader.next()) if (this.#reader.offset >= startOffset) return true
      this.#reader = undefined
    }
  }

  /** The current record; valid until `next`. */
  get record(): RecordReader {
    return this.#reader!
  }
}

/** One record as an object, for those who iterate record by record. */
export interface ConsumerRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

export function* recordsOf(fetched: FetchedPartition): Generator<ConsumerRecord, void, undefined> {
  const { topic, partition } = fetched
  const cursor = fetched.cursor()
  while (cursor.next()) {
    const { record } = cursor
    yield {
      topic,
      partition,
      offset: record.offset,
      timestamp: record.timestamp,
      key: record.key(),
      value: record.value(),
      headers: record.headers(),
    }
  }
}
