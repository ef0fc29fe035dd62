/**
 * What a Produce request is refused for by the shape of its records alone, before a log is asked: exactly one batch of
 * format 2 for each partition.
 */
import { ErrorCode } from "@millrace/protocol"
import type { ProduceRequest } from "@millrace/protocol/messages/produce"
import {
  ATTRIBUTE_TRANSACTIONAL,
  ATTRIBUTES_AT,
  BATCH_LENGTH_AT,
  CURRENT_MAGIC,
  LOG_OVERHEAD_BYTES,
  MAGIC_AT,
  MAGIC_END,
} from "@millrace/protocol/record/batch"
import { COMPRESSIONS } from "@millrace/protocol/record/compression"
import { int16At, int32At } from "@millrace/protocol/record/integers"

export interface RecordsFault {
  readonly error: ErrorCode
  readonly message: string
}

const VERSION_ZSTD = 7
/** Bytes of the smallest batch of any format, what its length does not count left out. */
const SMALLEST_BYTES = 14
const ATTRIBUTES_END = ATTRIBUTES_AT + 2

export function recordsFault(records: Uint8Array | null, version: number): RecordsFault | undefined {
  const size = records === null ? NO_BATCH : batchSize(records, 0)
  if (size === NO_BATCH) return invalid("there is no whole batch, exactly one for each partition is needed")
  if (size === NOT_A_BATCH) return CORRUPT
  const magic = records![MAGIC_AT]!
  if (magic !== CURRENT_MAGIC) return invalid(`record format ${magic} is not supported, only ${CURRENT_MAGIC}`)
  if (version < VERSION_ZSTD && COMPRESSIONS[attributesOf(records!) & 7] === "zstd")
    return { error: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, message: "zstd needs Produce version 7." }
  const next = batchSize(records!, size)
  if (next === NO_BATCH) return undefined
  return next === NOT_A_BATCH
    ? CORRUPT
    : invalid("there are several batches, exactly one for each partition is allowed")
}

/** Whether a topic of a request has a batch that says that it is of a transaction. */
export function hasTransactional({ partitionData }: ProduceRequest["topicData"][number]): boolean {
  return partitionData.some(({ records }) => records !== null && isTransactional(records))
}

export function isTransactional(records: Uint8Array): boolean {
  return records.length >= ATTRIBUTES_END && (attributesOf(records) & ATTRIBUTE_TRANSACTIONAL) !== 0
}

const NO_BATCH = 0
const NOT_A_BATCH = -1
const CORRUPT: RecordsFault = { error: ErrorCode.CORRUPT_MESSAGE, message: "the records do not begin with a batch" }

const invalid = (message: string): RecordsFault => ({ error: ErrorCode.INVALID_RECORD, message })
const attributesOf = (records: Uint8Array) => int16At(records, ATTRIBUTES_AT)

/** The size of the batch that begins at `at`; none when it is not whole. */
function batchSize(records: Uint8Array, at: number): number {
  const left = records.length - at
  if (left < LOG_OVERHEAD_BYTES) return NO_BATCH
  const length = int32At(records, at + BATCH_LENGTH_AT)
  if (length < SMALLEST_BYTES) return NOT_A_BATCH
  if (left < MAGIC_END) return NO_BATCH
  if (records[at + MAGIC_AT]! > CURRENT_MAGIC) return NOT_A_BATCH
  return length + LOG_OVERHEAD_BYTES > left ? NO_BATCH : length + LOG_OVERHEAD_BYTES
}
