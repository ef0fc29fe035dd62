/**
 * Which keys have nothing in a window, for those who look through many windows and mostly find nothing, as joins do: a filter
 * (key-filter.ts) for each window that began after this did. Of windows that were there before nothing is known.
 *
 * Whatever is put is added, also what an aborted transaction put. Whoever changes the store past `put` begins anew. A filter
 * begins as large as the one with the most keys ended up, and goes when its window has expired.
 */
import { KeyFilter, type KeyHash } from "./key-filter.ts"

/** Of the earliest of more windows nothing is known any more. */
const WINDOWS_MAX = 64

export class WindowKeys {
  readonly #filters = new Map<number, KeyFilter>()
  readonly #expiredTo: () => number
  #knownAfter: number

  /** No window that starts after `latest` has anything; those that start at `expiredTo` or before are past. */
  constructor(latest: number, expiredTo: () => number) {
    this.#knownAfter = latest
    this.#expiredTo = expiredTo
  }

  /** False where that is not known. */
  lacks(start: number, key: KeyHash): boolean {
    return start > this.#knownAfter && this.#filters.get(start)?.lacks(key) !== false
  }

  add(start: number, key: KeyHash): void {
    if (start <= this.#knownAfter) return
    let filter = this.#filters.get(start)
    if (filter === undefined) {
      const most = Math.max(0, ...[...this.#filters.values()].map(({ size }) => size))
      this.#giveUp(this.#expiredTo())
      if (this.#filters.size === WINDOWS_MAX) this.#giveUp(Math.min(...this.#filters.keys()))
      if (start <= this.#knownAfter) return
      this.#filters.set(start, (filter = new KeyFilter(most)))
    }
    if (filter.isFull) this.#giveUp(start)
    else filter.add(key)
  }

  /** Windows up to this start. */
  #giveUp(start: number): void {
    this.#knownAfter = Math.max(this.#knownAfter, start)
    for (const known of this.#filters.keys()) if (known <= start) this.#filters.delete(known)
  }
}
