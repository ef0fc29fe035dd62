/**
 * 64-bit integers are numbers: a double holds every integer up to 2^53 exactly, which no offset, timestamp or producer
 * id reaches. Two sentinels do: Kafka writes `Long.MAX_VALUE` for "unknown" or "no limit" (a follower's high watermark
 * in Fetch v18) and `Long.MIN_VALUE`. They map to the doubles 2^63 and -2^63 and back; every other value outside the
 * safe range is refused.
 */
export const INT64_MAX = 2 ** 63
export const INT64_MIN = -(2 ** 63)

/** Reads as: may this number be written as an int64? */
export function isInt64(value: number): boolean {
  return Number.isSafeInteger(value) || value === INT64_MAX || value === INT64_MIN
}

/** The number of two 32-bit halves (signed high, unsigned low), or NaN when a double cannot hold it. */
export function int64Of(high: number, low: number): number {
  const value = high * 4294967296 + low
  if (Number.isSafeInteger(value)) return value
  if (high === 0x7fffffff && low === 0xffffffff) return INT64_MAX
  if (high === -0x80000000 && low === 0) return INT64_MIN
  return Number.NaN
}
