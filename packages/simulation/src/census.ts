/**
 * Counts, on a broker's disk and beside its code, how much happened of what a run is meant to provoke: a suite that
 * stopped provoking something would go on passing, so its summary says these figures.
 */
import type { Disk } from "@millrace/host"
import { batches } from "@millrace/protocol/record/batch"
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
  /** Transactions aborted over their producer's head, by a timeout or by a successor. */
  fenced = 0
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
    for (const { fenced } of transactions(disk, directory).values()) this.fenced += fenced
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

/** The last state of each transactional id, and how often its epoch was raised to abort it. */
function transactions(disk: Disk, directory: string): Map<string, { status: number; epoch: number; fenced: number }> {
  const found = new Map<string, { status: number; epoch: number; fenced: number }>()
  for (const name of disk.list(directory).filter((entry) => TRANSACTION_STATE_DIRECTORY.test(entry))) {
    for (const file of disk.list(`${directory}/${name}`).filter((entry) => SEGMENT_FILE.test(entry))) {
      for (const batch of batches(disk.readFile(`${directory}/${name}/${file}`)!)) {
        if (!batch.isValidCrc()) break
        readRecords(batch, (record) => {
          const value = record.value()
          if (value === null) return
          const { transactionalId } = decodeCoordinatorKey(TransactionLogKey, record.key()!)
          const stored = decodeCoordinatorValue(TransactionLogValue, value)
          const { transactionStatus: status, producerEpoch: epoch } = stored
          const before = found.get(transactionalId)
          // Transactions of version 2 raise it themselves with each end, and say so.
          const byOthers = status === STATUS.prepareAbort && stored.clientTransactionVersion < 2
          const raised = byOthers && before !== undefined && epoch > before.epoch
          found.set(transactionalId, { status, epoch, fenced: (before?.fenced ?? 0) + (raised ? 1 : 0) })
        })
      }
    }
  }
  return found
}
