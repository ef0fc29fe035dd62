/**
 * The keyed timers of one shard, over the Clock port. A key has at most one; arming it again moves it.
 *
 * A timer that runs out stays in the table until its decision is in the log (`settle`), so a decision that could not be
 * appended is tried again instead of being lost with its timer.
 *
 * Timers fire late while the thread is busy with something else; which of them should have fired is known all the same
 * (`overdue`).
 */
import type { Clock, Timer } from "@millrace/host"
import type { TimerChange } from "./shard.ts"

/** How long to wait before a timer's decision that the log refused is tried again. */
const retryBackoffMs = 500

interface Armed<Timeout> {
  readonly key: string
  readonly timeout: Timeout
  /** On the monotonic clock. */
  readonly deadline: number
  timer: Timer
}

/** Identifies one arming of a key. */
export type Due<Timeout> = Pick<Armed<Timeout>, "key" | "timeout">

export class KeyedTimers<Timeout> {
  readonly #clock: Clock
  readonly #due: (due: Due<Timeout>) => void
  readonly #armed = new Map<string, Armed<Timeout>>()
  /** No deadline is before it; moved and settled timers leave it too early. */
  #noneBefore = Infinity

  constructor(clock: Clock, due: (due: Due<Timeout>) => void) {
    this.#clock = clock
    this.#due = due
  }

  apply(change: TimerChange<Timeout>): void {
    this.#armed.get(change.key)?.timer.cancel()
    if (change.delayMs === null) this.#armed.delete(change.key)
    else this.#arm(change.key, change.delayMs, change.timeout as Timeout)
  }

  /** False when the key was armed anew or disarmed since this timer ran out: then it says nothing any more. */
  isCurrent(due: Due<Timeout>): boolean {
    return this.#armed.get(due.key) === due
  }

  settle(due: Due<Timeout>): void {
    const armed = this.#armed.get(due.key)
    if (armed !== due) return
    armed.timer.cancel()
    this.#armed.delete(due.key)
  }

  retry(due: Due<Timeout>): void {
    if (!this.isCurrent(due)) return
    this.settle(due)
    this.#arm(due.key, retryBackoffMs, due.timeout)
  }

  /** Timers whose time has come, whether or not they have fired, in the order of their times. */
  overdue(): Due<Timeout>[] {
    const now = this.#clock.monotonic()
    if (now < this.#noneBefore) return []
    const overdue: Armed<Timeout>[] = []
    this.#noneBefore = Infinity
    for (const armed of this.#armed.values()) {
      if (armed.deadline <= now) overdue.push(armed)
      this.#noneBefore = Math.min(this.#noneBefore, armed.deadline)
    }
    return overdue.sort((a, b) => a.deadline - b.deadline)
  }

  clear(): void {
    for (const armed of this.#armed.values()) armed.timer.cancel()
    this.#armed.clear()
  }

  #arm(key: string, delayMs: number, timeout: Timeout): void {
    const deadline = this.#clock.monotonic() + delayMs
    this.#noneBefore = Math.min(this.#noneBefore, deadline)
    const armed: Armed<Timeout> = {
      key,
      timeout,
      deadline,
      // A coordinator's timers must not keep a stopped process alive.
      timer: this.#clock.setTimer(delayMs, () => this.#due(armed), { background: true }),
    }
    this.#armed.set(key, armed)
  }
}
