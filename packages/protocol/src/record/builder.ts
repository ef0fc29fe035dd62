/**
 * Builds one record batch: records are encoded as they come, the header is written around them at the end.
 *
 * Without compression `build()` returns a slice of the builder's own buffer, so the builder cannot be used afterwards.
 * Who needs the batch no more may take the buffer, to build another in it.
 */
import {
  ATTRIBUTE_CONTROL,
  ATTRIBUTE_DELETE_HORIZON,
  ATTRIBUTE_LOG_APPEND_TIME,
  ATTRIBUTE_TRANSACTIONAL,
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  CURRENT_MAGIC,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  LOG_OVERHEAD_BYTES,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  NO_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
  RecordBatchView,
} from "./batch.ts"
import { type Compression, compress, compressionId } from "./compression.ts"
import { putInt16, putInt32, putInt64 } from "./integers.ts"
import type { RecordHeader } from "./record.ts"
import { putVarint, putVarlong, sizeOfVarint, sizeOfVarlong } from "./varint.ts"

/** A header to write; a string value is encoded as UTF-8. */
export interface RecordHeaderInput {
  readonly key: string
  readonly value: Uint8Array | string | null
}

export interface RecordBatchOptions {
  readonly compression?: Compression
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /** Stamps every record with this time instead of its own (LogAppendTime). */
  readonly logAppendTime?: number
  /** Sets the base timestamp to a delete horizon (KIP-534); records keep their own times. */
  readonly deleteHorizon?: number
  /** What to reserve at first, in bytes; it grows by doubling. */
  readonly initialBytes?: number
  /** What to build in, as long as it suffices; nobody else may touch it until `takeBuffer`. */
  readonly buffer?: Uint8Array
}

const INITIAL_BYTES = 1024
const NO_HEADERS: readonly RecordHeader[] = []

export class RecordBatchBuilder {
  recordCount = 0
  readonly #options: RecordBatchOptions
  #bytes: Uint8Array
  #at = BATCH_HEADER_BYTES
  #baseTimestamp = NO_TIMESTAMP
  #maxTimestamp = NO_TIMESTAMP
  #lastOffsetDelta = -1
  #built = false

  constructor(options: RecordBatchOptions = {}) {
    this.#options = options
    this.#bytes =
      options.buffer ?? Buffer.allocUnsafeSlow(Math.max(options.initialBytes ?? INITIAL_BYTES, BATCH_HEADER_BYTES))
    if (options.deleteHorizon !== undefined) this.#baseTimestamp = options.deleteHorizon
  }

  /** Bytes the batch takes so far, uncompressed. */
  get sizeInBytes(): number {
    return this.#at
  }

  /** Adds a record at the next offset and returns `sizeInBytes`. Key and value are copied. */
  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeaderInput[] = NO_HEADERS,
  ): number {
    return this.appendAt(this.#lastOffsetDelta + 1, timestamp, key, value, headers)
  }

  /** The same at a given distance from the base offset, greater than the last: compaction leaves gaps. */
  appendAt(
    offsetDelta: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeaderInput[] = NO_HEADERS,
  ): number {
    if (this.#built) throw new Error("a record was appended to a batch that is built")
    if (offsetDelta <= this.#lastOffsetDelta) throw new Error(`offset delta ${offsetDelta} does not ascend`)
    if (this.recordCount === 0 && this.#options.deleteHorizon === undefined) this.#baseTimestamp = timestamp
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const encoded = headers.length === 0 ? NO_ENCODED : encodeHeaders(headers)
    let size =
      1 +
      sizeOfVarlong(timestampDelta) +
      sizeOfVarint(offsetDelta) +
      sizeOfField(key) +
      sizeOfField(value) +
      sizeOfVarint(headers.length)
    for (const field of encoded) size += sizeOfField(field)
    this.#reserve(size + 5)
    const bytes = this.#bytes
    let at = putVarint(bytes, this.#at, size)
    bytes[at++] = 0
    at = putVarlong(bytes, at, timestampDelta)
    at = putVarint(bytes, at, offsetDelta)
    at = putField(bytes, at, key)
    at = putField(bytes, at, value)
    at = putVarint(bytes, at, headers.length)
    for (const field of encoded) at = putField(bytes, at, field)
    this.#at = at
    this.#lastOffsetDelta = offsetDelta
    this.recordCount++
    return at
  }

  /**
   * The finished batch. `lastOffsetDelta` may reach beyond the last record, and there may be none: a compacted batch
   * keeps the range that it once had.
   */
  build(lastOffsetDelta: number = this.#lastOffsetDelta): Uint8Array {
    const options = this.#options
    const codec = options.compression ?? "none"
    let bytes = this.#bytes
    let size = this.#at
    if (codec !== "none" && this.recordCount > 0) {
      const compressed = compress(codec, this.#bytes.subarray(BATCH_HEADER_BYTES, this.#at))
      size = BATCH_HEADER_BYTES + compressed.length
      bytes = Buffer.allocUnsafeSlow(size)
      bytes.set(compressed, BATCH_HEADER_BYTES)
    }
    this.#built = true
    let attributes = this.recordCount > 0 ? compressionId(codec) : 0
    if (options.logAppendTime !== undefined) attributes |= ATTRIBUTE_LOG_APPEND_TIME
    if (options.transactional) attributes |= ATTRIBUTE_TRANSACTIONAL
    if (options.control) attributes |= ATTRIBUTE_CONTROL
    if (options.deleteHorizon !== undefined) attributes |= ATTRIBUTE_DELETE_HORIZON
    putInt64(bytes, 0, options.baseOffset ?? 0)
    putInt32(bytes, BATCH_LENGTH_AT, size - LOG_OVERHEAD_BYTES)
    putInt32(bytes, LEADER_EPOCH_AT, options.partitionLeaderEpoch ?? NO_LEADER_EPOCH)
    bytes[MAGIC_AT] = CURRENT_MAGIC
    putInt16(bytes, ATTRIBUTES_AT, attributes)
    putInt32(bytes, LAST_OFFSET_DELTA_AT, lastOffsetDelta)
    putInt64(bytes, BASE_TIMESTAMP_AT, this.#baseTimestamp)
    putInt64(bytes, MAX_TIMESTAMP_AT, options.logAppendTime ?? this.#maxTimestamp)
    putInt64(bytes, PRODUCER_ID_AT, options.producerId ?? NO_PRODUCER_ID)
    putInt16(bytes, PRODUCER_EPOCH_AT, options.producerEpoch ?? NO_PRODUCER_EPOCH)
    putInt32(bytes, BASE_SEQUENCE_AT, options.baseSequence ?? NO_SEQUENCE)
    putInt32(bytes, RECORD_COUNT_AT, this.recordCount)
    const batch = bytes.subarray(0, size)
    new RecordBatchView(batch).updateCrc()
    return batch
  }

  /** The memory it built in, the batch included: for when that is of no more use. */
  takeBuffer(): Uint8Array {
    const buffer = this.#bytes
    this.#bytes = NO_BYTES
    this.#built = true
    return buffer
  }

  #reserve(size: number): void {
    const needed = this.#at + size
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}

/** Most bytes that one more record takes in a batch, wherever in the batch it lies. */
export function recordBytesMax(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeaderInput[] = NO_HEADERS,
): number {
  let size = 5 + 1 + 10 + 5 + 5 + (key?.length ?? 0) + 5 + (value?.length ?? 0) + 5
  for (const header of headers) {
    size += 10 + 3 * header.key.length
    if (header.value !== null) size += typeof header.value === "string" ? 3 * header.value.length : header.value.length
  }
  return size
}

const NO_BYTES = new Uint8Array(0)
const NO_ENCODED: readonly (Uint8Array | null)[] = []

/** Names and values in turn. */
function encodeHeaders(headers: readonly RecordHeaderInput[]): (Uint8Array | null)[] {
  const encoded: (Uint8Array | null)[] = []
  for (const { key, value } of headers) {
    encoded.push(encodedName(key), typeof value === "string" ? Buffer.from(value, "utf8") : value)
  }
  return encoded
}

/** Headers have few names, which come with record after record. */
const NAMES = new Map<string, Uint8Array>()
const NAMES_MAX = 100

function encodedName(name: string): Uint8Array {
  let bytes = NAMES.get(name)
  if (bytes === undefined) {
    if (NAMES.size === NAMES_MAX) NAMES.clear()
    NAMES.set(name, (bytes = Buffer.from(name, "utf8")))
  }
  return bytes
}

function sizeOfField(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length
}

function putField(target: Uint8Array, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return putVarint(target, at, -1)
  const start = putVarint(target, at, bytes.length)
  const length = bytes.length
  // A call of `set` costs more than a short loop: keys and small values are the common case.
  if (length <= SHORT_BYTES) for (let index = 0; index < length; index++) target[start + index] = bytes[index]!
  else target.set(bytes, start)
  return start + length
}

const SHORT_BYTES = 24
