/**
 * Durations counted in fixed buckets, as Prometheus wants them: each bucket holds what took at most so long.
 */
export const BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const

export interface HistogramSnapshot {
  readonly count: number
  readonly sumMs: number
  readonly maxMs: number
  /** By bucket of `BUCKETS_MS`: how many took at most so long. */
  readonly buckets: readonly number[]
}

export class Histogram {
  readonly #buckets: number[] = BUCKETS_MS.map(() => 0)
  #count = 0
  #sumMs = 0
  #maxMs = 0

  record(ms: number): void {
    this.#count++
    this.#sumMs += ms
    this.#maxMs = Math.max(this.#maxMs, ms)
    const bucket = BUCKETS_MS.findIndex((bound) => ms <= bound)
    if (bucket >= 0) this.#buckets[bucket]!++
  }

  snapshot(): HistogramSnapshot {
    let below = 0
    const buckets = this.#buckets.map((count) => (below += count))
    return { count: this.#count, sumMs: this.#sumMs, maxMs: this.#maxMs, buckets }
  }
}
