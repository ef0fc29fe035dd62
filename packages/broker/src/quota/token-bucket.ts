/**
 * Tokens that come at a rate and are spent in lots (KIP-599): while there are any, a lot of any size is let through, and
 * what it spent too much has to come in again first. A full bucket holds what comes in all windows of a quota.
 */
import type { Windows } from "./rate.ts"

export class TokenBucket {
  readonly #burstMs: number
  /** Undefined: full, whatever the rate. */
  #tokens: number | undefined
  #filledAtMs = 0

  constructor({ samples, windowMs }: Windows) {
    this.#burstMs = samples * windowMs
  }

  spend(tokens: number, rate: number, nowMs: number): void {
    this.#tokens = this.#fill(rate, nowMs) - tokens
  }

  /** How long until there are tokens again; 0 when there are. */
  msBelowZero(rate: number, nowMs: number): number {
    const tokens = this.#fill(rate, nowMs)
    return tokens < 0 ? Math.round((-tokens / rate) * 1_000) : 0
  }

  #fill(rate: number, nowMs: number): number {
    const full = (rate * this.#burstMs) / 1_000
    const tokens = (this.#tokens ?? full) + (rate * (nowMs - this.#filledAtMs)) / 1_000
    this.#filledAtMs = nowMs
    return (this.#tokens = Math.min(full, tokens))
  }
}
