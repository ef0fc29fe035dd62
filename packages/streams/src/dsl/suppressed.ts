/**
 * What suppress holds changes back for, and how many of them.
 *
 * untilWindowCloses    of each window the last change alone, once nothing can change it any more
 * untilTimeLimit       of each key the last change, a time after the first one that is held back; more of them do not
 *                      put it off
 */
import { PipelineError } from "../errors.ts"
import { type Duration, durationMs } from "./duration.ts"

export interface BufferLimits {
  /** Of one partition. Default: no limit. */
  readonly maxRecords?: number
  /** Of one partition, keys and values as they are stored. Default: no limit. */
  readonly maxBytes?: number
}

export interface TimeLimitOptions extends BufferLimits {
  /** emit-early sends what was held back first, so that the rest fits; shut-down fails the run. Default: emit-early. */
  readonly whenFull?: "emit-early" | "shut-down"
}

interface Until<Kind> {
  readonly kind: Kind
  readonly limitMs: number
  readonly maxRecords: number | null
  readonly maxBytes: number | null
  readonly emitsEarly: boolean
}

export type UntilWindowCloses = Until<"window-closes">
export type UntilTimeLimit = Until<"time-limit">

/** A buffer that is full fails the run: a result that is sent early would not be the last. */
export function untilWindowCloses(limits: BufferLimits = {}): UntilWindowCloses {
  return { kind: "window-closes", limitMs: 0, emitsEarly: false, ...checked("untilWindowCloses", limits) }
}

export function untilTimeLimit(limit: Duration, options: TimeLimitOptions = {}): UntilTimeLimit {
  const { whenFull = "emit-early" } = options
  if (whenFull !== "emit-early" && whenFull !== "shut-down") {
    throw new PipelineError(`untilTimeLimit: whenFull is "emit-early" or "shut-down", not ${JSON.stringify(whenFull)}`)
  }
  const limitMs = durationMs("untilTimeLimit", limit)
  return { kind: "time-limit", limitMs, emitsEarly: whenFull === "emit-early", ...checked("untilTimeLimit", options) }
}

function checked(what: string, { maxRecords, maxBytes }: BufferLimits) {
  for (const [name, limit] of Object.entries({ maxRecords, maxBytes })) {
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1))
      throw new PipelineError(`${what}: ${name} is a whole number from 1 on, not ${limit}`)
  }
  return { maxRecords: maxRecords ?? null, maxBytes: maxBytes ?? null }
}
