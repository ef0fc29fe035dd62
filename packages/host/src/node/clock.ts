import type { Clock } from "../clock.ts"

/** Timers longer than this overflow in Node and would fire at once. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1

export const nodeClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback, options) {
    // A turn of the event loop, which serves sockets; a timer would add a millisecond of idling to it.
    if (delayMs <= 0) {
      const handle = setImmediate(callback)
      if (options?.background) handle.unref()
      return { cancel: () => clearImmediate(handle) }
    }
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), TIMER_DELAY_MS_MAX))
    if (options?.background) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
