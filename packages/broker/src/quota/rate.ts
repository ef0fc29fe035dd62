/**
 * How much of something happened per second lately, as Kafka's quotas measure it (KIP-13): sums of samples that each span
 * a window, over the windows that are kept and what has passed of the one in progress. With fewer samples the others are
 * taken to have been empty, so that a first burst is not mistaken for a high rate.
 */
export interface Windows {
  /** quota.window.num */
  readonly samples: number
  readonly windowMs: number
}

interface Sample {
  readonly startMs: number
  lastMs: number
  sum: number
}

export class Rate {
  readonly #windows: Windows
  /** Oldest first. */
  readonly #samples: Sample[] = []

  constructor(windows: Windows) {
    this.#windows = windows
  }

  /** A negative value takes back what was recorded at the same time. */
  record(value: number, nowMs: number): void {
    const last = this.#samples.at(-1)
    if (last === undefined || nowMs - last.startMs >= this.#windows.windowMs) {
      this.#samples.push({ startMs: nowMs, lastMs: nowMs, sum: value })
      // One more than the windows: the oldest overlaps the time that is looked at.
      if (this.#samples.length > this.#windows.samples + 1) this.#samples.shift()
    } else {
      last.sum += value
      last.lastMs = nowMs
    }
  }

  perSecond(nowMs: number): number {
    return this.#over(this.#spanMs(nowMs))
  }

  /** How long nothing may be recorded until the rate is down to the bound. */
  msAbove(bound: number, nowMs: number): number {
    const spanMs = this.#spanMs(nowMs)
    const rate = this.#over(spanMs)
    return rate > bound ? Math.round(((rate - bound) / bound) * spanMs) : 0
  }

  #over(spanMs: number): number {
    let sum = 0
    for (const sample of this.#samples) sum += sample.sum
    return (sum * 1_000) / spanMs
  }

  /** What is looked at; forgets what lies before it. */
  #spanMs(nowMs: number): number {
    const { samples, windowMs } = this.#windows
    const oldest = nowMs - samples * windowMs
    while (this.#samples.length > 0 && this.#samples[0]!.lastMs <= oldest) this.#samples.shift()
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs)
    const missing = samples - 1 - Math.floor(elapsedMs / windowMs)
    return Math.max(1, missing > 0 ? elapsedMs + missing * windowMs : elapsedMs)
  }
}
