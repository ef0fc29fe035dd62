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
  #samples: Sample[] = []

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
    const spanMs = this.#spanMs(nowMs)
    let sum = 0
    for (const sample of this.#samples) sum += sample.sum
    return (sum * 1_000) / spanMs
  }

  /** How long nothing may be recorded until the rate is down to the bound. */
  msAbove(bound: number, nowMs: number): number {
    const rate = this.perSecond(nowMs)
    return rate > bound ? Math.round(((rate - bound) / bound) * this.#spanMs(nowMs)) : 0
  }

  #spanMs(nowMs: number): number {
    const { samples, windowMs } = this.#windows
    const oldest = nowMs - samples * windowMs
    this.#samples = this.#samples.filter(({ lastMs }) => lastMs > oldest)
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs)
    const missing = samples - 1 - Math.floor(elapsedMs / windowMs)
    return Math.max(1, missing > 0 ? elapsedMs + missing * windowMs : elapsedMs)
  }
}
