/**
 * Processing in slices: as much as fits a short time, then the event loop gets its turn.
 *
 * Sockets are served only between slices. The number of records is steered so that the clock is not read per record.
 */
import { type Clock, sleep } from "@millrace/host"

const SLICE_MS = 10
const RECORDS_MIN = 64
const RECORDS_MAX = 16_384

export class Slice {
  readonly #clock: Clock
  #records = 1_024
  /** When the event loop had its turn last, as far as we gave it. */
  #pausedAt: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#pausedAt = clock.monotonic()
  }

  /** Calls `process` until the slice is over or it has nothing more; answers whether it did anything. */
  async run(process: (recordsMax: number) => number): Promise<boolean> {
    let total = 0
    for (;;) {
      const before = this.#clock.monotonic()
      const count = process(this.#records)
      total += count
      const now = this.#clock.monotonic()
      this.#steer(now - before, count)
      if (now - this.#pausedAt >= SLICE_MS) {
        await this.pause(0)
        break
      }
      // On a clock that stands still while we work, such as a simulation's, the count ends a slice.
      if (count === 0 || total >= RECORDS_MAX) break
    }
    return total > 0
  }

  async pause(ms: number): Promise<void> {
    await sleep(this.#clock, ms)
    this.#pausedAt = this.#clock.monotonic()
  }

  /** Aims at four calls a slice. */
  #steer(elapsedMs: number, count: number): void {
    if (count < this.#records || elapsedMs <= 0) return
    const fitting = (count * SLICE_MS) / (4 * elapsedMs)
    this.#records = Math.max(RECORDS_MIN, Math.min(RECORDS_MAX, Math.round((this.#records + fitting) / 2)))
  }
}
