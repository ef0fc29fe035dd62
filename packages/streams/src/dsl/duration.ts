/**
 * Spans of time as people write them: milliseconds as a number, `"10 seconds"`, or Effect's `Duration`.
 *
 * The shapes are a subset of Effect's `Duration.Input`, read without importing Effect.
 */
import { PipelineError } from "../errors.ts"

const UNIT_MS = {
  milli: 1,
  millis: 1,
  second: 1_000,
  seconds: 1_000,
  minute: 60_000,
  minutes: 60_000,
  hour: 3_600_000,
  hours: 3_600_000,
  day: 86_400_000,
  days: 86_400_000,
  week: 604_800_000,
  weeks: 604_800_000,
} as const

type Unit = keyof typeof UNIT_MS

/** Effect's `Duration`, told by its shape. */
interface DurationLike {
  readonly value:
    | { readonly _tag: "Millis"; readonly millis: number }
    | { readonly _tag: "Nanos"; readonly nanos: bigint }
    | { readonly _tag: "Infinity" }
    | { readonly _tag: "NegativeInfinity" }
}

export type Duration = number | `${number} ${Unit}` | DurationLike

/** Whole milliseconds, not negative. `what` names the setting in the error. */
export function durationMs(what: string, input: Duration): number {
  const ms = parse(input)
  if (ms === undefined || !Number.isSafeInteger(ms) || ms < 0) {
    throw new PipelineError(
      `${what}: ${describe(input)} is not a duration; write whole milliseconds or text such as "10 seconds"`,
    )
  }
  return ms
}

/** A time to live; undefined where none is given. */
export function ttlMsOf(what: string, ttl: Duration | undefined): number | undefined {
  if (ttl === undefined) return undefined
  const ms = durationMs(`${what} ttl`, ttl)
  if (ms === 0) throw new PipelineError(`${what} ttl: must be more than 0`)
  return ms
}

function parse(input: Duration): number | undefined {
  if (typeof input === "number") return input
  if (typeof input === "string") {
    const match = /^(\d+(?:\.\d+)?) ([a-z]+)$/.exec(input)
    const unit = UNIT_MS[match?.[2] as Unit]
    return match === null || unit === undefined ? undefined : Number(match[1]) * unit
  }
  const value = input?.value
  if (value?._tag === "Millis") return value.millis
  if (value?._tag === "Nanos") return Math.round(Number(value.nanos) / 1e6)
  return undefined
}

const describe = (input: unknown): string =>
  typeof input === "string" ? `"${input}"` : typeof input === "object" ? "that value" : String(input)
