/**
 * Work that repeats while the broker runs, each piece with its own interval. A slow run delays the next, never overlaps. Work
 * of many pieces does some and says so: others have their turn, then it goes on.
 */
import type { Clock, Timer } from "@millrace/host"

export interface Task {
  readonly name: string
  readonly delayMs: number
  /** Asked before each wait: a changed setting takes effect at the next run. */
  readonly intervalMs: () => number
  /** True: there is more to do, at once. */
  readonly run: () => boolean | void
}

export class Schedule {
  readonly #clock: Clock
  readonly #onFault: (task: string, cause: unknown) => void
  readonly #timers = new Map<Task, Timer>()
  #closed = false

  constructor(clock: Clock, onFault: (task: string, cause: unknown) => void) {
    this.#clock = clock
    this.#onFault = onFault
  }

  start(task: Task): void {
    this.#arm(task, task.delayMs)
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  #arm(task: Task, delayMs: number): void {
    const fire = () => {
      let isUnfinished = false
      try {
        isUnfinished = task.run() === true
      } catch (cause) {
        this.#onFault(task.name, cause)
      }
      if (!this.#closed) this.#arm(task, isUnfinished ? 0 : Math.max(1, task.intervalMs()))
    }
    this.#timers.set(task, this.#clock.setTimer(delayMs, fire, { background: true }))
  }
}
