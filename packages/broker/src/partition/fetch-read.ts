/**
 * One partition's part of a fetch: leader epoch, divergence, range, bytes, aborted transactions. Semantics of KIP-74,
 * 98, 320 and 595.
 */
import { ErrorCode } from "@millrace/protocol"
import { batches } from "@millrace/protocol/record/batch"
import type { Log } from "@millrace/storage"
import { type Partition, STORAGE_FAULT } from "./partition.ts"

export interface FetchReadRequest {
  readonly fetchOffset: number
  readonly currentLeaderEpoch: number
  /** -1: the reader does not say. */
  readonly lastFetchedEpoch: number
  readonly readCommitted: boolean
  readonly maxBytes: number
  /** Return the first batch even if it is larger than `maxBytes`. */
  readonly minOneBatch: boolean
  /** Where memory for the records comes from. */
  readonly take: (bytes: number) => Buffer
}

export interface FetchRead {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly records: Uint8Array
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number } | undefined
  /** Absent unless the reader asked for committed data only. */
  readonly abortedTransactions?: { producerId: number; firstOffset: number }[] | undefined
}

const EMPTY = new Uint8Array(0)
const failed = (errorCode: number): FetchRead => ({
  errorCode,
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
  records: EMPTY,
})

export function readForFetch(partition: Partition, request: FetchReadRequest): FetchRead {
  const error = partition.check(request.currentLeaderEpoch)
  if (error !== ErrorCode.NONE) return failed(error)
  // A partition that never got a record has no files; a reader that polls it must not make them.
  if (!partition.hasLog && request.fetchOffset === 0 && request.lastFetchedEpoch < 0) {
    const offsets = { errorCode: ErrorCode.NONE, highWatermark: 0, lastStableOffset: 0, logStartOffset: 0 }
    return { ...offsets, records: EMPTY, ...(request.readCommitted ? { abortedTransactions: [] } : {}) }
  }
  const read = partition.attempt((log) => readLog(partition, log, request))
  return read === STORAGE_FAULT ? failed(ErrorCode.KAFKA_STORAGE_ERROR) : read
}

function readLog(partition: Partition, log: Log, request: FetchReadRequest): FetchRead {
  const { fetchOffset, lastFetchedEpoch, readCommitted } = request
  const highWatermark = partition.highWatermark
  const lastStableOffset = log.lastStableOffset(highWatermark)
  const state = { errorCode: ErrorCode.NONE, highWatermark, lastStableOffset, logStartOffset: log.logStartOffset }
  // Of the epoch that lasts there may be no record yet: it ends where the log does.
  if (lastFetchedEpoch === partition.leaderEpoch) {
    if (log.logEndOffset < fetchOffset) {
      return { ...state, records: EMPTY, divergingEpoch: { epoch: lastFetchedEpoch, endOffset: log.logEndOffset } }
    }
  } else if (lastFetchedEpoch >= 0) {
    const end = log.endOffsetForEpoch(lastFetchedEpoch)
    if (end.epoch === -1) return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
    if (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) {
      return { ...state, records: EMPTY, divergingEpoch: { epoch: end.epoch, endOffset: end.endOffset } }
    }
  }
  if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset) {
    return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
  }
  const endOffset = readCommitted ? lastStableOffset : highWatermark
  const empty = { ...state, records: EMPTY, ...(readCommitted ? { abortedTransactions: [] } : {}) }
  if (fetchOffset >= endOffset || (request.maxBytes <= 0 && !request.minOneBatch)) return empty
  const { maxBytes, minOneBatch, take } = request
  const read = log.read(fetchOffset, { maxBytes: Math.max(0, maxBytes), minOneBatch, endOffset, take })
  if (read === "OFFSET_OUT_OF_RANGE") return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
  if (!readCommitted) return { ...state, records: read.bytes }
  return { ...state, records: read.bytes, abortedTransactions: abortedIn(log, read.bytes, endOffset) }
}

/** Aborted transactions that overlap what was read, from the start of its first batch to the end of its last. */
function abortedIn(log: Log, bytes: Uint8Array, endOffset: number): { producerId: number; firstOffset: number }[] {
  if (bytes.length === 0) return []
  let start = -1
  let end = endOffset
  for (const batch of batches(bytes)) {
    if (start === -1) start = batch.baseOffset
    end = batch.nextOffset
  }
  return log.abortedTransactions(start, end).map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
}
