/**
 * How fast a counter grew over the last half minute: samples are taken when somebody has something new to tell, and old
 * ones are let go.
 */
const WINDOW_MS = 30_000
/** Samples nearer to each other than this become one. */
const STEP_MS = 500

interface Sample {
  readonly at: number
  readonly total: number
}

export class Rate {
  #samples: Sample[]

  constructor(startedAt: number) {
    this.#samples = [{ at: startedAt, total: 0 }]
  }

  sample(at: number, total: number): void {
    if (at - this.#samples.at(-1)!.at < STEP_MS) return
    this.#samples.push({ at, total })
    // The last one outside the window stays: it is where the window begins.
    const begin = this.#samples.findLastIndex((one) => one.at <= at - WINDOW_MS)
    if (begin > 0) this.#samples = this.#samples.slice(begin)
  }

  /** Per second, as of now. */
  perSecond(at: number, total: number): number {
    const begin = this.#samples.findLast((one) => one.at <= at - WINDOW_MS) ?? this.#samples[0]!
    const elapsed = at - begin.at
    return elapsed <= 0 ? 0 : ((total - begin.total) * 1_000) / elapsed
  }
}
