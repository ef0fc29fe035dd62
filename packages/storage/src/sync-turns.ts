/**
 * Bounds how many logs are flushed at once: each holds its files open until the device is done, whatever bounds the open
 * segments. The system syncs no more than some at a time anyway, and who waits for a turn shares the sync with those that come
 * meanwhile.
 */
export const SYNCS_MAX = 64

export class SyncTurns {
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** Waits for a turn; whoever got it calls `done`. */
  async next(): Promise<void> {
    if (this.#running < SYNCS_MAX) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  done(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }
}
