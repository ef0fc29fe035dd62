/** Whether the user's code still polls: a member whose user is stuck gives way to others (`max.poll.interval.ms`). */
import type { Clock } from "@millrace/host"

export class PollWatch {
  readonly #clock: Clock
  #polledAt: number
  #polling = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#polledAt = clock.monotonic()
  }

  begins(): void {
    this.#polling++
  }

  ends(): void {
    this.#polling--
    this.#polledAt = this.#clock.monotonic()
  }

  /** 0 while a poll is under way. */
  get idleMs(): number {
    return this.#polling > 0 ? 0 : this.#clock.monotonic() - this.#polledAt
  }
}
