/**
 * Windows over event time, aligned to the epoch. A window is `[start, end)`.
 *
 * A record belongs to every window of `sizeMs` that starts at a multiple of `advanceMs` and contains its timestamp. A
 * window closes when stream time reaches its end plus the grace: it is updated only while `end > streamTime - grace`.
 */
import { PipelineError } from "../errors.ts"
import { type Duration, durationMs } from "./duration.ts"

export interface TimeWindows {
  readonly _kind: "time"
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

export interface SessionWindows {
  readonly _kind: "session"
  readonly gapMs: number
  readonly graceMs: number
}

/**
 * Sessions: records of a key that are no further apart than `gap`. A session is `[start, end]`, from its first record to
 * its last, both included; it is past once stream time is beyond its end by more than gap and grace.
 */
export function session(gap: Duration, options: { grace?: Duration } = {}): SessionWindows {
  const gapMs = durationMs("session gap", gap)
  return { _kind: "session", gapMs, graceMs: durationMs("session grace", options.grace ?? 0) }
}

export type Windows = TimeWindows | SessionWindows

/** Windows side by side: each record belongs to one. */
export function tumbling(size: Duration, options: { grace?: Duration } = {}): TimeWindows {
  const sizeMs = durationMs("tumbling size", size)
  return timeWindows("tumbling", sizeMs, sizeMs, options.grace)
}

/** Windows that overlap: one of `size` starts every `advance`. */
export function hopping(size: Duration, options: { advance: Duration; grace?: Duration }): TimeWindows {
  const sizeMs = durationMs("hopping size", size)
  const advanceMs = durationMs("hopping advance", options.advance)
  if (advanceMs === 0 || advanceMs > sizeMs) {
    throw new PipelineError(
      `hopping: an advance of ${advanceMs} ms must be more than 0 and at most the size, ${sizeMs} ms`,
    )
  }
  return timeWindows("hopping", sizeMs, advanceMs, options.grace)
}

function timeWindows(kind: string, sizeMs: number, advanceMs: number, grace: Duration | undefined): TimeWindows {
  if (sizeMs === 0) throw new PipelineError(`${kind}: the size must be more than 0`)
  return { _kind: "time", sizeMs, advanceMs, graceMs: durationMs(`${kind} grace`, grace ?? 0) }
}

/** The start of the earliest window that contains a timestamp; windows before the epoch do not exist. */
export const firstWindowStart = (windows: TimeWindows, timestamp: number): number =>
  Math.max(0, Math.floor((timestamp - windows.sizeMs) / windows.advanceMs) * windows.advanceMs + windows.advanceMs)
