/**
 * Counts, on a broker's disk and beside its code, how much happened of what a run is meant to provoke: a suite that
 * stopped provoking something would go on passing, so its summary says these figures.
 */
import type { Disk } from "@millrace/host"
import { batches, type RecordBatchView } from "@millrace/protocol/record/batch"
import { CorruptRecordError } from "@millrace/protocol/record/corrupt"
import { readRecords } from "@millrace/protocol/record/record"
import { decodeCoordinatorKey, decodeCoordinatorValue } from "@millrace/protocol/records/coordinator-record"
import { TransactionLogKey, TransactionLogValue } from "@millrace/protocol/records/transaction-log"

const TRANSACTION_STATE_DIRECTORY = /^__transaction_state-\d+$/
const USER_DIRECTORY = /^(source|target)-\d+$/
const SEGMENT_FILE = /^\d{20}\.log$/
const STATUS = { ongoing: 1, prepareCommit: 2, prepareAbort: 3 } as const

export class Census {
  /** Transactions that a starting broker found decided, their markers not all written. */
  preparedAtStart = 0
  /** Transactions that a starting broker found open. */
  openAtStart = 0
  /** Transactions aborted, by their producer, its successor or their timeout. */
  aborted = 0
  /** Logs whose end recovery cut. */
  tornLogs = 0
  /** Starts that were killed themselves. */
  brokenStarts = 0

  /** A broker is about to start on this disk. */
  start(disk: Disk, directory: string): void {
    for (const { status } of transactions(disk, directory).values()) {
      if (status === STATUS.ongoing) this.openAtStart++
      if (status === STATUS.prepareCommit || status === STATUS.prepareAbort) this.preparedAtStart++
    }
  }

  /** The run is over. */
  end(disk: Disk, directory: string): void {
    for (const { aborted } of transactions(disk, directory).values()) this.aborted += aborted
  }

  /** Segments of the user's topics that were begun because another was full or old. */
  static rolls(disk: Disk, directory: string): number {
    let rolls = 0
    for (const name of disk.list(directory).filter((entry) => USER_DIRECTORY.test(entry))) {
      rolls += disk.list(`${directory}/${name}`).filter((file) => SEGMENT_FILE.test(file)).length - 1
    }
    return rolls
  }
}

/** The last state of each transactional id, and how many of its transactions were aborted. */
function transactions(disk: Disk, directory: string): Map<string, { status: number; aborted: number }> {
  const found = new Map<string, { status: number; aborted: number }>()
  for (const name of disk.list(directory).filter((entry) => TRANSACTION_STATE_DIRECTORY.test(entry))) {
    for (const file of disk.list(`${directory}/${name}`).filter((entry) => SEGMENT_FILE.test(entry))) {
      for (const batch of wholeBatches(disk.readFile(`${directory}/${name}/${file}`)!)) {
        readRecords(batch, (record) => {
          const value = record.value()
          if (value === null) return
          const { transactionalId } = decodeCoordinatorKey(TransactionLogKey, record.key()!)
          const { transactionStatus: status } = decodeCoordinatorValue(TransactionLogValue, value)
          const aborted = (found.get(transactionalId)?.aborted ?? 0) + (status === STATUS.prepareAbort ? 1 : 0)
          found.set(transactionalId, { status, aborted })
        })
      }
    }
  }
  return found
}

/** The batches up to where a crash left something else. */
function* wholeBatches(bytes: Uint8Array): Generator<RecordBatchView, void, undefined> {
  try {
    for (const batch of batches(bytes)) {
      if (!batch.isValidCrc()) return
      yield batch
    }
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
  }
}
