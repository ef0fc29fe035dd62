/** Time that moves when it is told to. Timers fire in the order of their times, those of one time as they were armed. */
import type { Clock, Timer } from "./clock.ts"

interface Armed {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualClock implements Clock {
  #now: number
  readonly #origin: number
  #order = 0
  readonly #armed = new Set<Armed>()

  /** `startMs`: since the epoch. */
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
    this.#armed.add(armed)
    return { cancel: () => void this.#armed.delete(armed) }
  }

  get timerCount(): number {
    return this.#armed.size
  }

  /** When the next timer fires; undefined when none is armed. */
  get next(): number | undefined {
    return this.#earliest()?.at
  }

  /** Moves to the next timer that is due by then, and fires it alone; false when there is none. */
  fireNext(until = Infinity): boolean {
    const armed = this.#earliest()
    if (armed === undefined || armed.at > until) return false
    this.#armed.delete(armed)
    this.#now = Math.max(this.#now, armed.at)
    armed.callback()
    return true
  }

  /** Moves to a time, firing what is due on the way. */
  moveTo(time: number): void {
    while (this.fireNext(time)) continue
    this.#now = Math.max(this.#now, time)
  }

  /** Time passes and nothing fires, as while a thread is busy: what falls due fires late, when time moves next. */
  stall(ms: number): void {
    this.#now += ms
  }

  advance(ms: number): void {
    this.moveTo(this.#now + ms)
  }

  #earliest(): Armed | undefined {
    let earliest: Armed | undefined
    for (const timer of this.#armed) {
      const isEarlier =
        earliest === undefined || timer.at < earliest.at || (timer.at === earliest.at && timer.order < earliest.order)
      if (isEarlier) earliest = timer
    }
    return earliest
  }
}
