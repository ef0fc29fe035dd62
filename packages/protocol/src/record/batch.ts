/**
 * A view of one record batch (format 2, KIP-98) inside a larger buffer: nothing is copied, fields are read on demand.
 *
 *    0 baseOffset            int64    43 producerId     int64
 *    8 batchLength           int32    51 producerEpoch  int16
 *   12 partitionLeaderEpoch  int32    53 baseSequence   int32
 *   16 magic                 int8     57 recordCount    int32
 *   17 crc                   uint32   61 records
 *   21 attributes            int16
 *   23 lastOffsetDelta       int32       attributes: 0-2 compression, 3 log append time, 4 transactional,
 *   27 baseTimestamp         int64                   5 control, 6 delete horizon (KIP-534)
 *   35 maxTimestamp          int64
 *
 * The checksum covers everything from `attributes` on. Base offset and leader epoch lie before it on purpose: a broker
 * writes both without touching the checksum. The view borrows the buffer; its setters write through.
 */
import { COMPRESSIONS, type Compression } from "./compression.ts"
import { CorruptRecordError } from "./corrupt.ts"
import { crc32c } from "./crc32c.ts"
import { int16At, int32At, int64At, putInt16, putInt32, putInt64, uint32At } from "./integers.ts"

export const BASE_OFFSET_AT = 0
export const BATCH_LENGTH_AT = 8
export const LEADER_EPOCH_AT = 12
export const MAGIC_AT = 16
export const CRC_AT = 17
export const ATTRIBUTES_AT = 21
export const LAST_OFFSET_DELTA_AT = 23
export const BASE_TIMESTAMP_AT = 27
export const MAX_TIMESTAMP_AT = 35
export const PRODUCER_ID_AT = 43
export const PRODUCER_EPOCH_AT = 51
export const BASE_SEQUENCE_AT = 53
export const RECORD_COUNT_AT = 57
/** Bytes of a batch before its records. */
export const BATCH_HEADER_BYTES = 61
/** Base offset and batch length: what precedes the bytes that batchLength counts. */
export const LOG_OVERHEAD_BYTES = 12
/** Bytes from the start that tell a batch's format whatever its format. */
export const MAGIC_END = 17

export const CURRENT_MAGIC = 2
export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
export const NO_TIMESTAMP = -1
export const NO_LEADER_EPOCH = -1

export const ATTRIBUTE_COMPRESSION = 0x07
export const ATTRIBUTE_LOG_APPEND_TIME = 0x08
export const ATTRIBUTE_TRANSACTIONAL = 0x10
export const ATTRIBUTE_CONTROL = 0x20
export const ATTRIBUTE_DELETE_HORIZON = 0x40

export type TimestampType = "CreateTime" | "LogAppendTime"

const SEQUENCES = 0x8000_0000

/** The sequence number `increment` after `sequence`: after 2147483647 comes 0. */
export function addSequence(sequence: number, increment: number): number {
  return (sequence + increment) % SEQUENCES
}

export class RecordBatchView {
  readonly bytes: Uint8Array
  readonly offset: number
  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes
    this.offset = offset
  }

  get baseOffset(): number {
    return int64At(this.bytes, this.offset)
  }
  set baseOffset(value: number) {
    putInt64(this.bytes, this.offset, value)
  }
  /** Bytes of the whole batch, this header included. */
  get sizeInBytes(): number {
    return int32At(this.bytes, this.offset + BATCH_LENGTH_AT) + LOG_OVERHEAD_BYTES
  }
  get partitionLeaderEpoch(): number {
    return int32At(this.bytes, this.offset + LEADER_EPOCH_AT)
  }
  set partitionLeaderEpoch(value: number) {
    putInt32(this.bytes, this.offset + LEADER_EPOCH_AT, value)
  }
  get magic(): number {
    return this.bytes[this.offset + MAGIC_AT]!
  }
  get crc(): number {
    return uint32At(this.bytes, this.offset + CRC_AT)
  }
  get attributes(): number {
    return int16At(this.bytes, this.offset + ATTRIBUTES_AT)
  }
  /** The codec's id, also when no codec has that id. */
  get compressionId(): number {
    return this.bytes[this.offset + ATTRIBUTES_AT + 1]! & ATTRIBUTE_COMPRESSION
  }
  get compression(): Compression {
    const codec = COMPRESSIONS[this.compressionId]
    if (codec === undefined) throw new CorruptRecordError(`compression ${this.compressionId} is not known`)
    return codec
  }
  get timestampType(): TimestampType {
    return (this.#flags & ATTRIBUTE_LOG_APPEND_TIME) !== 0 ? "LogAppendTime" : "CreateTime"
  }
  get isTransactional(): boolean {
    return (this.#flags & ATTRIBUTE_TRANSACTIONAL) !== 0
  }
  get isControl(): boolean {
    return (this.#flags & ATTRIBUTE_CONTROL) !== 0
  }
  get hasDeleteHorizon(): boolean {
    return (this.#flags & ATTRIBUTE_DELETE_HORIZON) !== 0
  }
  /** When compaction may remove the batch's tombstones or marker (KIP-534), or undefined when that is not set yet. */
  get deleteHorizon(): number | undefined {
    return this.hasDeleteHorizon ? this.baseTimestamp : undefined
  }
  get lastOffsetDelta(): number {
    return int32At(this.bytes, this.offset + LAST_OFFSET_DELTA_AT)
  }
  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }
  get nextOffset(): number {
    return this.lastOffset + 1
  }
  /** What timestamp deltas add to. With a delete horizon it is the horizon, and never a record's time. */
  get baseTimestamp(): number {
    return int64At(this.bytes, this.offset + BASE_TIMESTAMP_AT)
  }
  get maxTimestamp(): number {
    return int64At(this.bytes, this.offset + MAX_TIMESTAMP_AT)
  }
  get producerId(): number {
    return int64At(this.bytes, this.offset + PRODUCER_ID_AT)
  }
  get hasProducerId(): boolean {
    return this.producerId > NO_PRODUCER_ID
  }
  get producerEpoch(): number {
    return int16At(this.bytes, this.offset + PRODUCER_EPOCH_AT)
  }
  get baseSequence(): number {
    return int32At(this.bytes, this.offset + BASE_SEQUENCE_AT)
  }
  get lastSequence(): number {
    const base = this.baseSequence
    return base === NO_SEQUENCE ? NO_SEQUENCE : addSequence(base, this.lastOffsetDelta)
  }
  get recordCount(): number {
    return int32At(this.bytes, this.offset + RECORD_COUNT_AT)
  }
  /** The whole batch as a slice of its buffer. */
  get slice(): Uint8Array {
    return this.bytes.subarray(this.offset, this.offset + this.sizeInBytes)
  }
  /** The records as they are stored, compressed or not. */
  get recordBytes(): Uint8Array {
    return this.bytes.subarray(this.offset + BATCH_HEADER_BYTES, this.offset + this.sizeInBytes)
  }

  /** Whether the batch is whole, long enough for its header, and matches its checksum. Only for magic 2. */
  isValidCrc(): boolean {
    const size = this.sizeInBytes
    if (size < BATCH_HEADER_BYTES || this.offset + size > this.bytes.length) return false
    return this.crc === this.#computeCrc()
  }

  /** Rewrites the checksum after a setter below changed what it covers. */
  updateCrc(): void {
    putInt32(this.bytes, this.offset + CRC_AT, this.#computeCrc())
  }

  /** Sets the greatest timestamp and its type; the checksum needs `updateCrc` afterwards. */
  setMaxTimestamp(type: TimestampType, timestamp: number): void {
    const at = this.offset + ATTRIBUTES_AT + 1
    const flags = this.bytes[at]! & ~ATTRIBUTE_LOG_APPEND_TIME
    this.bytes[at] = type === "LogAppendTime" ? flags | ATTRIBUTE_LOG_APPEND_TIME : flags
    putInt64(this.bytes, this.offset + MAX_TIMESTAMP_AT, timestamp)
  }

  /** Sets the producer's identity, as a client does when a batch is first sent; needs `updateCrc` afterwards. */
  setProducerState(producerId: number, producerEpoch: number, baseSequence: number): void {
    putInt64(this.bytes, this.offset + PRODUCER_ID_AT, producerId)
    putInt16(this.bytes, this.offset + PRODUCER_EPOCH_AT, producerEpoch)
    putInt32(this.bytes, this.offset + BASE_SEQUENCE_AT, baseSequence)
  }

  get #flags(): number {
    return this.bytes[this.offset + ATTRIBUTES_AT + 1]!
  }

  #computeCrc(): number {
    return crc32c(this.bytes, this.offset + ATTRIBUTES_AT, this.offset + this.sizeInBytes)
  }
}

/**
 * Iterates the whole batches of a fetched or stored run of bytes; an incomplete tail, which brokers may send, ends it.
 * Throws CorruptRecordError on a length that no batch can have. Views share the buffer.
 */
export function* batches(bytes: Uint8Array, offset = 0): Generator<RecordBatchView, void, undefined> {
  let at = offset
  while (at + MAGIC_END <= bytes.length) {
    const view = new RecordBatchView(bytes, at)
    const size = view.sizeInBytes
    if (view.magic !== CURRENT_MAGIC || size < BATCH_HEADER_BYTES) {
      throw new CorruptRecordError(
        view.magic === CURRENT_MAGIC
          ? `a record batch at byte ${at} claims a size of ${size} bytes, less than its header`
          : `a record batch at byte ${at} has format ${view.magic}, only format 2 is supported`,
      )
    }
    if (size > bytes.length - at) return
    yield view
    at += size
  }
}
