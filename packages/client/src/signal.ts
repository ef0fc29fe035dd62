/**
 * Wakes whoever waits for something to have changed. Spurious wake-ups are allowed: waiters look again.
 */
import type { Clock } from "@millrace/host"

export class Signal {
  #waiters: (() => void)[] = []

  notify(): void {
    for (const resume of this.#waiters.splice(0)) resume()
  }

  /** Resolves at the next `notify`, or when monotonic time reaches `deadline`. */
  wait(clock: Clock, deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.setTimer(Math.max(0, deadline - clock.monotonic()), done)
      const waiters = this.#waiters
      waiters.push(done)
      function done(): void {
        timer.cancel()
        const index = waiters.indexOf(done)
        if (index >= 0) waiters.splice(index, 1)
        resolve()
      }
    })
  }
}

/** Resolves with the promise's value, or `undefined` at the deadline; the promise goes on. */
export function untilDeadline<T>(
  clock: Clock,
  promise: Promise<T>,
  deadline: number,
): Promise<{ value: T } | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(Math.max(0, deadline - clock.monotonic()), () => resolve(undefined))
    promise.then(
      (value) => {
        timer.cancel()
        resolve({ value })
      },
      (error: unknown) => {
        timer.cancel()
        reject(error)
      },
    )
  })
}
