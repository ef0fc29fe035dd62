/** Time that passes when nothing else can happen: once all microtasks have run, the clock jumps to the next timer. */
import type { Timer } from "@millrace/host"
import { VirtualClock } from "@millrace/host/virtual-clock"

export class IdleClock extends VirtualClock {
  #isScheduled = false

  constructor() {
    super(1_700_000_000_000)
  }

  override setTimer(delayMs: number, callback: () => void): Timer {
    const timer = super.setTimer(delayMs, callback)
    this.#schedule()
    return timer
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.fireNext() && this.timerCount > 0) this.#schedule()
    })
  }
}
