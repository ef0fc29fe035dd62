/**
 * Exponential backoff with jitter (KIP-580): attempt n waits `initial * 2^n`, at most `max`, give or take 20 %.
 */
import type { Random } from "@millrace/host"

const JITTER = 0.2
const EXPONENT_MAX = 20

export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
}

/** Milliseconds to wait before attempt `attempt` (0 is the first retry). */
export function backoffDelay(options: BackoffOptions, attempt: number, random: Random): number {
  const plain = Math.min(options.maxMs, options.initialMs * 2 ** Math.min(attempt, EXPONENT_MAX))
  return Math.round(plain * (1 - JITTER + 2 * JITTER * random.float()))
}
