/**
 * How much of a log is to be cleaned, and whether that is due: a pure reckoning over its segments.
 *
 *   clean part       below the cleaner's checkpoint: no key is there twice
 *   dirty part       from the checkpoint up to `upperBound`
 *   not cleanable    the active segment; what is not stable; and segments with a record younger than min.compaction.lag.ms
 *
 * All bounds lie between segments. Cleaning is due when the dirty part is a larger share of both than
 * min.cleanable.dirty.ratio, or when its oldest record is older than max.compaction.lag.ms.
 */
import type { LogConfig } from "../log-config.ts"

export interface SegmentAge {
  readonly baseOffset: number
  readonly size: number
  /** Of the first batch; -1 when there is none. */
  readonly firstTimestamp: number
  /** -1 when no record has a timestamp. */
  readonly maxTimestamp: number
  readonly createdAt: number
}

export interface CleanableLog {
  /** In offset order, the active one last. */
  readonly segments: readonly SegmentAge[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly lastStableOffset: number
  readonly config: Pick<LogConfig, "minCompactionLagMs" | "maxCompactionLagMs" | "minCleanableDirtyRatio">
}

export interface CleanableRange {
  readonly firstDirtyOffset: number
  /** Exclusive, the base offset of a segment. */
  readonly upperBound: number
  /** Bytes between the two. */
  readonly dirtyBytes: number
  /** Dirty share of all bytes below `upperBound`, 0 to 1. */
  readonly dirtyRatio: number
  readonly isDue: boolean
}

/** `checkpoint`: up to where the log was cleaned before; undefined when it never was. */
export function cleanableRange(log: CleanableLog, checkpoint: number | undefined, now: number): CleanableRange {
  const { segments, logStartOffset, logEndOffset, lastStableOffset, config } = log
  // A checkpoint outside of the log says nothing about it: its start was deleted, or its end was lost in a crash.
  const isValid = checkpoint !== undefined && checkpoint >= logStartOffset && checkpoint <= logEndOffset
  const firstDirtyOffset = isValid ? checkpoint : logStartOffset
  const closed = segments.slice(0, -1)
  const endOf = (index: number) => segments[index + 1]!.baseOffset
  let upperBound = segments[0]!.baseOffset
  let cleanBytes = 0
  let dirtyBytes = 0
  let oldest = Infinity
  for (const [index, segment] of closed.entries()) {
    const end = endOf(index)
    if (end > lastStableOffset) break
    const isDirty = end > firstDirtyOffset
    if (isDirty && config.minCompactionLagMs > 0) {
      const youngest = segment.maxTimestamp >= 0 ? segment.maxTimestamp : segment.createdAt
      if (youngest > now - config.minCompactionLagMs) break
    }
    if (isDirty) dirtyBytes += segment.size
    else cleanBytes += segment.size
    if (isDirty && segment.firstTimestamp > 0) oldest = Math.min(oldest, segment.firstTimestamp)
    upperBound = end
  }
  const bytes = cleanBytes + dirtyBytes
  const dirtyRatio = bytes === 0 ? 0 : dirtyBytes / bytes
  const isOverdue = dirtyBytes > 0 && oldest < now - config.maxCompactionLagMs
  const isDue = isOverdue || dirtyRatio > config.minCleanableDirtyRatio
  return { firstDirtyOffset, upperBound: Math.max(upperBound, firstDirtyOffset), dirtyBytes, dirtyRatio, isDue }
}
