/**
 * Where the records of a source have their event time from.
 */
import type { Rec } from "./record.ts"

/** Milliseconds of the epoch; `partitionTime` is the greatest taken from the partition so far, -1 before the first. */
export type TimestampExtractor<K, V> = (value: V, record: Rec<K, V>, partitionTime: number) => number

/**
 * For a record whose time is negative or no number: fail names it and ends the run, skip drops and counts it,
 * partition-time gives it the greatest time of its partition so far, wall-clock that of the transaction.
 */
export type InvalidTimestampPolicy = "fail" | "skip" | "partition-time" | "wall-clock"

export interface TimestampOptions<K, V> {
  /** Default: the record's own timestamp. */
  readonly timestamp?: TimestampExtractor<K, V> | "wall-clock"
  /** Default: fail. */
  readonly onInvalidTimestamp?: InvalidTimestampPolicy
}
