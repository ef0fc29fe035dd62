/**
 * Validation of batches before they enter a log: total, pure, and silent about offsets, which the log assigns after.
 *
 * Clients' batches are held to everything (one batch, checksum, counts, timestamps, keys); those of the broker's own
 * coordinators were just built here; replicated ones were validated by their leader, so only their checksum counts.
 */
import { ErrorCode } from "@millrace/protocol/errors"
import { BATCH_HEADER_BYTES, CURRENT_MAGIC, NO_TIMESTAMP, RecordBatchView } from "@millrace/protocol/record/batch"
import { COMPRESSIONS } from "@millrace/protocol/record/compression"
import { CorruptRecordError, DecompressedTooLargeError } from "@millrace/protocol/record/corrupt"
import { RecordReader } from "@millrace/protocol/record/record"
import { isCompacted, type LogConfig } from "./log-config.ts"

export type AppendOrigin = "client" | "coordinator" | "replication"

export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

export interface AppendFailure {
  readonly ok: false
  readonly error: ErrorCode
  readonly message: string
  readonly recordErrors?: readonly RecordError[]
}

export interface AcceptedBatches {
  readonly ok: true
  readonly batches: readonly RecordBatchView[]
}

export type Validation = AppendFailure | AcceptedBatches

/** Record errors listed in one answer: a huge batch of bad records must not become a huge answer. */
const RECORD_ERRORS_MAX = 1000

function refuse(error: ErrorCode, message: string, recordErrors?: readonly RecordError[]): AppendFailure {
  return recordErrors === undefined ? { ok: false, error, message } : { ok: false, error, message, recordErrors }
}

/** Splits `bytes` into batches and validates each; `now` is the append time. May rewrite timestamps and checksum. */
export function validate(bytes: Uint8Array, origin: AppendOrigin, config: LogConfig, now: number): Validation {
  const batches: RecordBatchView[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < BATCH_HEADER_BYTES) return incomplete(bytes.length - at, batches.length)
    const batch = new RecordBatchView(bytes, at)
    if (batch.magic !== CURRENT_MAGIC) {
      return refuse(ErrorCode.INVALID_RECORD, `record format ${batch.magic} is not supported, only ${CURRENT_MAGIC}`)
    }
    const size = batch.sizeInBytes
    if (size < BATCH_HEADER_BYTES) {
      return refuse(ErrorCode.CORRUPT_MESSAGE, `a batch claims a size of ${size} bytes, less than its header`)
    }
    if (size > bytes.length - at) return incomplete(bytes.length - at, batches.length)
    batches.push(batch)
    at += size
  }
  if (batches.length === 0) return incomplete(0, 0)
  if (origin === "client") {
    if (batches.length > 1) {
      return refuse(ErrorCode.INVALID_RECORD, `${batches.length} batches for one partition, exactly one is allowed`)
    }
    const failure = validateClientBatch(batches[0]!, config, now)
    if (failure !== undefined) return failure
  } else if (origin === "replication") {
    for (const batch of batches) if (!batch.isValidCrc()) return wrongChecksum(batch)
  }
  if (bytes.length > config.segmentBytes) {
    return refuse(
      ErrorCode.RECORD_LIST_TOO_LARGE,
      `${bytes.length} bytes are more than a segment holds (segment.bytes ${config.segmentBytes})`,
    )
  }
  return { ok: true, batches }
}

function incomplete(left: number, found: number): AppendFailure {
  return found === 0 && left === 0
    ? refuse(ErrorCode.INVALID_RECORD, "no record batch, exactly one for each partition is needed")
    : refuse(ErrorCode.CORRUPT_MESSAGE, `the records end with ${left} bytes that are not a whole batch`)
}

function wrongChecksum(batch: RecordBatchView): AppendFailure {
  return refuse(ErrorCode.CORRUPT_MESSAGE, `a batch of ${batch.sizeInBytes} bytes does not match its checksum`)
}

function validateClientBatch(batch: RecordBatchView, config: LogConfig, now: number): AppendFailure | undefined {
  const size = batch.sizeInBytes
  if (size > config.maxMessageBytes) {
    return refuse(
      ErrorCode.MESSAGE_TOO_LARGE,
      `a batch of ${size} bytes is larger than max.message.bytes (${config.maxMessageBytes})`,
    )
  }
  if (!batch.isValidCrc()) return wrongChecksum(batch)
  const reason = headerFault(batch)
  if (reason !== undefined) return refuse(ErrorCode.INVALID_RECORD, reason)
  if (batch.timestampType === "LogAppendTime") {
    return refuse(ErrorCode.INVALID_TIMESTAMP, "a producer may not set the timestamp type to LogAppendTime")
  }
  try {
    return validateRecords(batch, config, now)
  } catch (cause) {
    if (cause instanceof DecompressedTooLargeError) return refuse(ErrorCode.MESSAGE_TOO_LARGE, cause.message)
    if (cause instanceof CorruptRecordError) return refuse(ErrorCode.INVALID_RECORD, cause.message)
    throw cause
  }
}

function headerFault(batch: RecordBatchView): string | undefined {
  if (batch.isControl) return "clients may not write control batches"
  if (batch.hasDeleteHorizon) return "clients may not set a delete horizon"
  if (COMPRESSIONS[batch.compressionId] === undefined) return `compression ${batch.compressionId} is not known`
  const count = batch.recordCount
  if (count <= 0) return `a batch of ${count} records`
  if (batch.lastOffsetDelta !== count - 1) {
    return `${count} records do not match a last offset delta of ${batch.lastOffsetDelta}`
  }
  try {
    if (batch.baseOffset !== 0) return `a producer's batch starts at offset 0, this one at ${batch.baseOffset}`
    if (batch.hasProducerId) {
      if (batch.baseSequence < 0) return `producer ${batch.producerId} sent sequence ${batch.baseSequence}`
      if (batch.producerEpoch < 0) return `producer ${batch.producerId} sent epoch ${batch.producerEpoch}`
    } else if (batch.isTransactional) return "a transactional batch has no producer id"
  } catch (cause) {
    if (cause instanceof CorruptRecordError) return cause.message
    throw cause
  }
  return undefined
}

/** Walks the records: offsets without gaps, keys where compaction needs them, times within bounds, the greatest time. */
function validateRecords(batch: RecordBatchView, config: LogConfig, now: number): AppendFailure | undefined {
  const needsKey = isCompacted(config)
  const createTime = config.messageTimestampType === "CreateTime"
  const earliest = now - config.messageTimestampBeforeMaxMs
  const latest = now + config.messageTimestampAfterMaxMs
  const errors: RecordError[] = []
  let timestampError = false
  let maxTimestamp = NO_TIMESTAMP
  const records = new RecordReader(batch, { decompressedBytesMax: config.decompressedBytesMax })
  while (records.next()) {
    const batchIndex = records.index
    if (records.offset !== batchIndex) {
      return refuse(ErrorCode.INVALID_RECORD, `record ${batchIndex} has offset delta ${records.offset}`)
    }
    const { timestamp } = records
    if (needsKey && records.keySize < 0) {
      if (errors.length < RECORD_ERRORS_MAX) errors.push({ batchIndex, message: "a compacted topic needs a key" })
    } else if (createTime && timestamp !== NO_TIMESTAMP && (timestamp < earliest || timestamp > latest)) {
      timestampError = true
      if (errors.length < RECORD_ERRORS_MAX) {
        const message = `timestamp ${timestamp} is outside [${earliest}, ${latest}]`
        errors.push({ batchIndex, message })
      }
    }
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
  }
  if (errors.length > 0) {
    return timestampError
      ? refuse(ErrorCode.INVALID_TIMESTAMP, "one or more records have a timestamp out of bounds", errors)
      : refuse(ErrorCode.INVALID_RECORD, "one or more records have no key, which a compacted topic needs", errors)
  }
  if (!createTime) {
    batch.setMaxTimestamp("LogAppendTime", now)
    batch.updateCrc()
  } else if (batch.maxTimestamp !== maxTimestamp) {
    batch.setMaxTimestamp("CreateTime", maxTimestamp)
    batch.updateCrc()
  }
  return undefined
}

/** Replicated batches keep their offsets, which go up from the log's end. */
export function ascends(batches: readonly RecordBatchView[], logEndOffset: number): boolean {
  let next = logEndOffset
  for (const batch of batches) {
    if (batch.baseOffset < next || batch.lastOffsetDelta < 0) return false
    next = batch.nextOffset
  }
  return true
}
