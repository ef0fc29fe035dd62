/** What a log is told when it is opened: mostly what its data directory knows of it. */
import type { Log } from "./log.ts"
import type { OpenSegments } from "./open-segments.ts"
import type { RecoveryReport } from "./recovery.ts"
import type { SyncTurns } from "./sync-turns.ts"

export interface LogOptions {
  readonly now: number
  readonly cleanShutdown: boolean
  /** Offsets below it were flushed; undefined when that is not known. Default 0. */
  readonly recoveryPoint?: number | undefined
  readonly logStartOffset?: number
  /** It was compacted before, so gaps between its segments are no loss. */
  readonly wasCleaned?: boolean
  readonly openSegments?: OpenSegments
  /** Bounds the flushes of all logs of a data directory. */
  readonly syncTurns?: SyncTurns
  /** Makes the name of the log's directory durable: of a log that may never have been flushed. */
  readonly syncName?: (() => void) | undefined
  /** What recovery cut from the end, to be logged. */
  readonly onRecovered?: (report: RecoveryReport) => void
  /** Persists start offset and recovery point before the log goes on: they moved in a way that must survive a crash. */
  readonly onCheckpointNeeded?: (log: Log) => void
}
