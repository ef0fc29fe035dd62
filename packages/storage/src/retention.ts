/**
 * Which of a log's oldest segments may go: a pure plan over their ends, sizes and times.
 *
 * A segment that compaction emptied goes with those before it, wherever segments are deleted.
 *
 * Time and size delete only under cleanup.policy=delete. Segments wholly below the log start offset go under any
 * policy. Nothing at or above the high watermark is ever deleted.
 */
import type { LogConfig } from "./log-config.ts"

export interface SegmentFacts {
  /** Where the next segment starts. */
  readonly nextOffset: number
  readonly size: number
  /** -1 when no record has a timestamp. */
  readonly maxTimestamp: number
}

/** How many of the segments, oldest first, are to be deleted. */
export function segmentsToDelete(
  segments: readonly SegmentFacts[],
  config: LogConfig,
  logStartOffset: number,
  highWatermark: number,
  now: number,
): number {
  const deletes = config.cleanupPolicy.includes("delete")
  let excess = segments.reduce((total, { size }) => total + size, 0) - config.retentionBytes
  let count = 0
  for (const [index, { nextOffset, size, maxTimestamp }] of segments.entries()) {
    const isEmpty = size === 0
    if (nextOffset > highWatermark || (isEmpty && index === segments.length - 1)) break
    const isBelowStart = nextOffset <= logStartOffset
    const isExpired = deletes && config.retentionMs >= 0 && maxTimestamp >= 0 && now - maxTimestamp > config.retentionMs
    const isExcess = deletes && config.retentionBytes >= 0 && excess - size >= 0
    if (!isBelowStart && !isExpired && !isExcess && !(isEmpty && deletes)) break
    excess -= size
    count++
  }
  return count
}
