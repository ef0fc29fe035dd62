/**
 * Time as a port.
 *
 * Nothing outside an implementation of this port may read the clock or arm a timer: the simulation runs a whole
 * cluster on a virtual clock, and every timeout in it is an event that a seed decides.
 */

/** A pending timer. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. May jump; use it for record timestamps, never for durations. */
  now(): number
  /** Milliseconds from an arbitrary origin that never go back. Use it for deadlines and durations. */
  monotonic(): number
  /** Calls back once after at least `delayMs`. A timer keeps the process alive unless `background` is set. */
  setTimer(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): Timer
}

/** Resolves after `delayMs` of the clock; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener("abort", abort)
      resolve()
    })
    signal?.addEventListener("abort", abort, { once: true })
  })
}
