/**
 * Time that moves when a test says so.
 */
import type { Clock, Timer } from "@millrace/host"

interface Armed {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualClock implements Clock {
  #now: number
  readonly #origin: number
  #order = 0
  #timers: Armed[] = []

  constructor(startMs = 0) {
    this.#now = startMs
    this.#origin = startMs
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.#origin
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const armed = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.push(armed)
    return { cancel: () => void (this.#timers = this.#timers.filter((timer) => timer !== armed)) }
  }

  /** When the next timer fires; undefined when none is armed. */
  get next(): number | undefined {
    return this.#earliest()?.at
  }

  /** Moves to a time, firing what is due on the way, in order. */
  moveTo(time: number): void {
    for (let armed = this.#earliest(); armed !== undefined && armed.at <= time; armed = this.#earliest()) {
      this.#timers = this.#timers.filter((timer) => timer !== armed)
      this.#now = Math.max(this.#now, armed.at)
      armed.callback()
    }
    this.#now = Math.max(this.#now, time)
  }

  advance(ms: number): void {
    this.moveTo(this.#now + ms)
  }

  #earliest(): Armed | undefined {
    let earliest: Armed | undefined
    for (const timer of this.#timers) {
      const isEarlier =
        earliest === undefined || timer.at < earliest.at || (timer.at === earliest.at && timer.order < earliest.order)
      if (isEarlier) earliest = timer
    }
    return earliest
  }
}
