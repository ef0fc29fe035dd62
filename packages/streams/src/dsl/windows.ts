/**
 * Windows over event time.
 *
 * Tumbling, hopping and unlimited windows are `[start, end)`: a record belongs to every window of `sizeMs` that starts at
 * `originMs` plus a multiple of `advanceMs` and contains its timestamp. Sliding windows and sessions are `[start, end]`, and
 * where they lie depends on the records.
 * A window closes when stream time has passed its end by `closesAfterMs`: from then on nothing changes it.
 */
import { PipelineError } from "../errors.ts"
import { type Duration, durationMs } from "./duration.ts"
import { type LateTo, lateTarget } from "./late-to.ts"

/**
 * When an aggregate over windows is emitted: with every record, or once for each window when it closes, with its last
 * value, in the order of the windows' ends and then of the keys' bytes (KIP-825).
 */
export type Emit = "on-window-update" | "on-window-close"

/** `K` and `V`: of the topic for late records, which the records must fit. */
export interface WindowOptions<K = any, V = any> {
  /** How late records may be. Default: not at all. */
  readonly grace?: Duration
  /** A topic for records that are later than that, in the same transaction: late-to.ts. */
  readonly lateTo?: LateTo<K, V>
  /** Default: on-window-update. */
  readonly emit?: Emit
}

export interface TimeWindows<K = any, V = any> {
  readonly _kind: "time"
  readonly originMs: number
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
  readonly lateTo: LateTo<K, V> | null
  readonly emit: Emit
}

export interface SlidingWindows<K = any, V = any> {
  readonly _kind: "sliding"
  readonly differenceMs: number
  readonly graceMs: number
  readonly lateTo: LateTo<K, V> | null
  readonly emit: Emit
}

export interface SessionWindows<K = any, V = any> {
  readonly _kind: "session"
  readonly gapMs: number
  readonly graceMs: number
  readonly lateTo: LateTo<K, V> | null
  readonly emit: Emit
}

export type Windows<K = any, V = any> = TimeWindows<K, V> | SlidingWindows<K, V> | SessionWindows<K, V>

/**
 * Sessions: records of a key that are no further apart than `gap`. A session is `[start, end]`, from its first record to
 * its last, both included; it is past once stream time is beyond its end by more than gap and grace.
 */
export function session<K = any, V = any>(gap: Duration, options: WindowOptions<K, V> = {}): SessionWindows<K, V> {
  return { _kind: "session", gapMs: durationMs("session gap", gap), ...graceAndEmit("session", options) }
}

/**
 * Windows that slide: `[start, start + difference]`, both included, one that ends at each record of a key and one that
 * begins right after it, where it has records: so every set of records that lie within the difference has its window.
 */
export function sliding<K = any, V = any>(
  difference: Duration,
  options: WindowOptions<K, V> = {},
): SlidingWindows<K, V> {
  const differenceMs = durationMs("sliding difference", difference)
  return { _kind: "sliding", differenceMs, ...graceAndEmit("sliding", options) }
}

/** One window, from `start` on (milliseconds of the epoch, 0 unless given) and without an end; it never closes. */
export function unlimited(options: { readonly start?: number } = {}): TimeWindows {
  const { start = 0 } = options
  if (!Number.isSafeInteger(start) || start < 0) {
    throw new PipelineError(`unlimited: the start ${start} must be whole milliseconds of the epoch, from 0 on`)
  }
  const sizeMs = Number.MAX_SAFE_INTEGER - start
  return {
    _kind: "time",
    originMs: start,
    sizeMs,
    advanceMs: sizeMs,
    graceMs: 0,
    lateTo: null,
    emit: "on-window-update",
  }
}

/** Of a node's options. */
export const isUnlimited = ({ originMs, sizeMs }: { readonly [option: string]: unknown }): boolean =>
  Number(originMs) + Number(sizeMs) === Number.MAX_SAFE_INTEGER

/** Windows side by side: each record belongs to one. */
export function tumbling<K = any, V = any>(size: Duration, options: WindowOptions<K, V> = {}): TimeWindows<K, V> {
  const sizeMs = durationMs("tumbling size", size)
  return timeWindows("tumbling", sizeMs, sizeMs, options)
}

/** Windows that overlap: one of `size` starts every `advance`. */
export function hopping<K = any, V = any>(
  size: Duration,
  options: WindowOptions<K, V> & { readonly advance: Duration },
): TimeWindows<K, V> {
  const sizeMs = durationMs("hopping size", size)
  const advanceMs = durationMs("hopping advance", options.advance)
  if (advanceMs === 0 || advanceMs > sizeMs) {
    throw new PipelineError(
      `hopping: an advance of ${advanceMs} ms must be more than 0 and at most the size, ${sizeMs} ms`,
    )
  }
  return timeWindows("hopping", sizeMs, advanceMs, options)
}

function timeWindows(kind: string, sizeMs: number, advanceMs: number, options: WindowOptions): TimeWindows {
  if (sizeMs === 0) throw new PipelineError(`${kind}: the size must be more than 0`)
  return { _kind: "time", originMs: 0, sizeMs, advanceMs, ...graceAndEmit(kind, options) }
}

function graceAndEmit(kind: string, { grace = 0, lateTo, emit = "on-window-update" }: WindowOptions) {
  if (emit !== "on-window-update" && emit !== "on-window-close") {
    throw new PipelineError(`${kind}: emit is "on-window-update" or "on-window-close", not ${JSON.stringify(emit)}`)
  }
  return { graceMs: durationMs(`${kind} grace`, grace), lateTo: lateTarget(kind, lateTo), emit }
}

/** The start of the earliest window that contains a timestamp; windows before the origin do not exist. */
export function firstWindowStart({ originMs, sizeMs, advanceMs }: TimeWindows, timestamp: number): number {
  const start = Math.floor((timestamp - originMs - sizeMs) / advanceMs) * advanceMs + advanceMs
  return originMs + Math.max(0, start)
}

/** How far stream time must be past a window's end for nothing to change it any more. */
export function closesAfterMs(windows: Windows): number {
  // Time windows end before their end; the others include it, so that stream time must be past it.
  if (windows._kind === "time") return windows.graceMs
  return windows.graceMs + 1 + (windows._kind === "session" ? windows.gapMs : 0)
}
