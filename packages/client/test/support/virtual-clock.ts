/**
 * Time that passes when nothing else can happen: once all microtasks have run, the clock jumps to the next timer.
 */
import type { Clock, Timer } from "@millrace/host"

interface Entry {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  #timers: Entry[] = []
  #scheduled = false

  now(): number {
    return 1_700_000_000_000 + this.#now
  }
  monotonic(): number {
    return this.#now
  }
  setTimer(delayMs: number, callback: () => void): Timer {
    const entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.push(entry)
    this.#schedule()
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== entry)) }
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      const next = this.#timers.toSorted((a, b) => a.at - b.at || a.order - b.order)[0]
      if (!next) return
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      if (this.#timers.length > 0) this.#schedule()
    })
  }
}
