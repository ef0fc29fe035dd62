/** A round of cleaning as the broker's cleaner makes it, on a log in memory. */
import { cleanableRange } from "../../src/cleaner/cleanable.ts"
import { type CleaningOptions, type CleaningResult, cleanLog } from "../../src/cleaner/clean-log.ts"
import type { Log } from "../../src/log.ts"
import { NOW } from "../samples.ts"

export const COMPACT = {
  cleanupPolicy: ["compact"],
  retentionMs: -1,
  deleteRetentionMs: 1000,
  messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
} as const

export interface RoundOptions extends Partial<CleaningOptions> {
  /** Where the last round ended. */
  readonly checkpoint?: number | undefined
  readonly highWatermark?: number
}

/** Cleans what there is to clean, due or not. */
export function clean(log: Log, options: RoundOptions = {}): Promise<CleaningResult> {
  const { checkpoint, highWatermark = log.logEndOffset, now = NOW } = options
  const { segments, logStartOffset, logEndOffset, config } = log
  const lastStableOffset = log.lastStableOffset(highWatermark)
  const range = cleanableRange({ segments, logStartOffset, logEndOffset, lastStableOffset, config }, checkpoint, now)
  return cleanLog(log, range, {
    dedupeBytes: 1 << 20,
    loadFactor: 0.9,
    ioBytes: 4096,
    seed: 7,
    pace: () => Promise.resolve(),
    ...options,
    now,
  })
}
