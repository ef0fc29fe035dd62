/**
 * A rate limit as a pure token bucket over monotonic milliseconds: it says how many may pass now, or how long to wait.
 *
 * The bucket holds `BURST_MS` of the rate, at least one, so that pacing is even and a pause earns no flood.
 */
const BURST_MS = 50

export class RateLimit {
  readonly #perMs: number
  readonly #capacity: number
  #tokens: number
  #at: number
  /** `perSecond` of 0 or less means no limit. */
  constructor(perSecond: number, now: number) {
    this.#perMs = perSecond <= 0 ? Number.POSITIVE_INFINITY : perSecond / 1000
    this.#capacity = Math.max(1, this.#perMs * BURST_MS)
    this.#tokens = Math.min(this.#capacity, 1)
    this.#at = now
  }
  /** How many of `wanted` may pass now; they count as passed. */
  take(wanted: number, now: number): number {
    if (this.#perMs === Number.POSITIVE_INFINITY) return wanted
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    const taken = Math.min(wanted, Math.floor(this.#tokens))
    this.#tokens -= taken
    return taken
  }
  /** How long until a worthwhile part of the bucket is full. */
  delayMs(): number {
    if (this.#perMs === Number.POSITIVE_INFINITY) return 0
    const worthwhile = Math.max(1, this.#capacity / 2)
    return Math.max(1, Math.ceil((worthwhile - this.#tokens) / this.#perMs))
  }
}
