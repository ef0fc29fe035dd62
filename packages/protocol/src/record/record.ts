/**
 * A cursor over the records of one batch.
 *
 *   length varint | attributes int8 | timestamp delta varlong | offset delta varint |
 *   key length varint, key | value length varint, value | header count varint, (key length, key, value length, value)*
 *
 * `next()` moves; the fields then describe the current record until the next move. Keys and values are slices of the
 * batch's (decompressed) bytes, made only when asked for. Moving allocates nothing, and a batch decompresses once.
 */
import { NO_TIMESTAMP, type RecordBatchView } from "./batch.ts"
import { DECOMPRESSED_BYTES_MAX, decompress } from "./compression.ts"
import { CorruptRecordError } from "./corrupt.ts"
import { VarintCursor } from "./varint.ts"

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** Fewest bytes a record takes: its length and six fields. */
const RECORD_BYTES_MIN = 7
const UTF8 = new TextDecoder()

export class RecordReader {
  readonly batch: RecordBatchView
  /** Position of the current record in the batch, counted from 0; -1 before the first `next()`. */
  index = -1
  offset = -1
  timestamp = NO_TIMESTAMP
  /** Bytes of the current record with its length prefix, decompressed. */
  sizeInBytes = 0
  /** -1 for a null key. */
  keySize = -1
  /** -1 for a null value. */
  valueSize = -1
  /** The batch's records, decompressed: what the positions below count in. */
  readonly bytes: Uint8Array
  /** Where the current record starts, with its length prefix. */
  start = 0
  /** Where its offset delta starts: behind length, attributes and time. */
  offsetDeltaAt = 0
  /** Where its key's bytes start. */
  keyAt = 0

  readonly #cursor: VarintCursor
  readonly #count: number
  readonly #baseOffset: number
  readonly #baseTimestamp: number
  readonly #appendTime: number
  readonly #end: number
  #valueAt = 0
  #headersAt = 0
  #recordEnd: number

  constructor(batch: RecordBatchView, options: { readonly decompressedBytesMax?: number } = {}) {
    this.batch = batch
    this.#count = batch.recordCount
    this.#baseOffset = batch.baseOffset
    this.#baseTimestamp = batch.baseTimestamp
    this.#appendTime = batch.timestampType === "LogAppendTime" ? batch.maxTimestamp : NO_TIMESTAMP
    const bytes = decompress(
      batch.compression,
      batch.recordBytes,
      options.decompressedBytesMax ?? DECOMPRESSED_BYTES_MAX,
    )
    if (this.#count < 0 || this.#count * RECORD_BYTES_MIN > bytes.length) {
      throw new CorruptRecordError(`a batch claims ${this.#count} records in ${bytes.length} bytes`)
    }
    this.bytes = bytes
    this.#cursor = new VarintCursor(bytes, 0, bytes.length)
    this.#end = bytes.length
    this.#recordEnd = 0
  }

  /** Moves to the next record; false behind the last one, where it also checks that no byte is left over. */
  next(): boolean {
    const cursor = this.#cursor
    const start = this.#recordEnd
    if (++this.index >= this.#count) {
      this.index = this.#count
      if (start !== this.#end) throw new CorruptRecordError(`${this.#end - start} bytes follow the last record`)
      return false
    }
    cursor.position = start
    cursor.end = this.#end
    const length = cursor.int32()
    const end = cursor.position + length
    if (length < RECORD_BYTES_MIN - 1 || end > this.#end) {
      throw new CorruptRecordError(`record ${this.index} claims ${length} bytes`)
    }
    cursor.end = this.#recordEnd = end
    this.sizeInBytes = end - start
    this.start = start
    cursor.position++
    const timestampDelta = cursor.int64()
    this.timestamp = this.#appendTime === NO_TIMESTAMP ? this.#baseTimestamp + timestampDelta : this.#appendTime
    this.offsetDeltaAt = cursor.position
    this.offset = this.#baseOffset + cursor.int32()
    this.keySize = cursor.int32()
    this.keyAt = cursor.position
    if (this.keySize > 0) this.#skip(this.keySize)
    this.valueSize = cursor.int32()
    this.#valueAt = cursor.position
    if (this.valueSize > 0) this.#skip(this.valueSize)
    this.#headersAt = cursor.position
    if (cursor.position >= end) throw new CorruptRecordError(`record ${this.index} ends before its header count`)
    return true
  }

  /** Where the current record ends. */
  get end(): number {
    return this.#recordEnd
  }

  key(): Uint8Array | null {
    if (this.keySize < 0) return null
    return this.#cursor.bytes.subarray(this.keyAt, this.keyAt + this.keySize)
  }

  value(): Uint8Array | null {
    if (this.valueSize < 0) return null
    return this.#cursor.bytes.subarray(this.#valueAt, this.#valueAt + this.valueSize)
  }

  get headerCount(): number {
    this.#cursor.position = this.#headersAt
    this.#cursor.end = this.#recordEnd
    return this.#cursor.int32()
  }

  headers(): RecordHeader[] {
    const count = this.headerCount
    if (count === 0) return []
    const cursor = this.#cursor
    if (count < 0 || count > this.#recordEnd - cursor.position) {
      throw new CorruptRecordError(`record ${this.index} claims ${count} headers`)
    }
    const headers: RecordHeader[] = []
    for (let index = 0; index < count; index++) {
      const keySize = cursor.int32()
      if (keySize < 0) throw new CorruptRecordError(`a header of record ${this.index} has a null key`)
      const keyAt = this.#skip(keySize)
      const valueSize = cursor.int32()
      const valueAt = this.#skip(Math.max(valueSize, 0))
      const key = nameOf(cursor.bytes, keyAt, keySize)
      headers.push({ key, value: valueSize < 0 ? null : cursor.bytes.subarray(valueAt, valueAt + valueSize) })
    }
    return headers
  }

  /** Moves over `size` bytes and returns where they start. */
  #skip(size: number): number {
    const cursor = this.#cursor
    const start = cursor.position
    if (size > cursor.end - start) throw new CorruptRecordError(`a field of record ${this.index} runs over its end`)
    cursor.position = start + size
    return start
  }
}

/** The name of a header: most often the one that came last. */
let lastName = { bytes: new Uint8Array(0), text: "" }

function nameOf(bytes: Uint8Array, at: number, size: number): string {
  const last = lastName.bytes
  let same = last.length === size ? 0 : -1
  while (same >= 0 && same < size && last[same] === bytes[at + same]) same++
  if (same === size) return lastName.text
  const name = bytes.slice(at, at + size)
  lastName = { bytes: name, text: UTF8.decode(name) }
  return lastName.text
}

/** Calls `sink` once per record with the cursor standing on it. */
export function readRecords(batch: RecordBatchView, sink: (record: RecordReader) => void): void {
  const reader = new RecordReader(batch)
  while (reader.next()) sink(reader)
}
