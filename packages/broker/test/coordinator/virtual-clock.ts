/** Time that passes when a test says so. Timers due at the same time fire in the order they were armed. */
import type { Clock, Timer } from "@millrace/host"

interface Armed {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualClock implements Clock {
  #now = 1_700_000_000_000
  #order = 0
  readonly #armed = new Set<Armed>()

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const armed = { at: this.#now + delayMs, order: this.#order++, callback }
    this.#armed.add(armed)
    return { cancel: () => void this.#armed.delete(armed) }
  }

  /** Lets `ms` pass, firing what falls due, with all that it leads to. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settled()
      const [next] = [...this.#armed].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)
      if (next === undefined) break
      this.#armed.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
    }
    this.#now = end
  }

  get timerCount(): number {
    return this.#armed.size
  }
}

/** Lets promises that can go on do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
