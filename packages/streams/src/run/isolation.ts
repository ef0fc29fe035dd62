/**
 * Finds the record that a transaction cannot be committed with.
 *
 * The cluster refuses records (too large, breaking their topic's schema) when they are written, long after the record that
 * made them was processed, and with it the whole transaction. So the same input is taken again in halves: a transaction
 * that commits leaves the culprit behind it or before it, one that fails again is halved again, until one record is left.
 *
 *     8 fail -> 4 commit -> 4 fail -> 2 fail -> 1 commit -> 1 fails: that one
 */
import { ErrorCode, KafkaError } from "@millrace/client"

const REFUSALS: ReadonlySet<number> = new Set([
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.INVALID_RECORD,
  ErrorCode.INVALID_TIMESTAMP,
])

/** What the cluster said of a record, where that is why something failed. */
export function refusalOf(failure: unknown): KafkaError | undefined {
  for (let cause = failure; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof KafkaError && REFUSALS.has(cause.code)) return cause
  }
  return undefined
}

export class Isolation {
  #limit: number | undefined
  /** Records that have failed together and are not committed yet. */
  #suspects = 0

  /** The most records that a transaction may take now. */
  get limit(): number | undefined {
    return this.#limit
  }

  /** A transaction of so many records was refused; answers whether its only record is the culprit. */
  refused(records: number): boolean {
    if (this.#limit === undefined) this.#suspects = records
    this.#limit = Math.max(1, Math.floor(records / 2))
    return records === 1
  }

  committed(records: number): void {
    if (this.#limit === undefined) return
    this.#suspects -= records
    if (this.#suspects <= 0) this.#limit = undefined
  }
}
