/**
 * Which keys have nothing in a window, for those who look through many windows and mostly find nothing, as joins do: a filter
 * (key-filter.ts) for each window that began after this did. Of windows that were there before nothing is known.
 *
 * Whatever is put is added, also what an aborted transaction put. Whoever changes the store past `put` begins anew.
 */
import { KeyFilter, type KeyHash } from "./key-filter.ts"

/** Of the earliest of more windows nothing is known any more; a filter has 16 KiB at least. */
const WINDOWS_MAX = 64

export class WindowKeys {
  readonly #filters = new Map<number, KeyFilter>()
  #knownAfter: number

  /** No window that starts later has anything. */
  constructor(latest: number) {
    this.#knownAfter = latest
  }

  /** False where that is not known. */
  lacks(start: number, key: KeyHash): boolean {
    return start > this.#knownAfter && this.#filters.get(start)?.lacks(key) !== false
  }

  add(start: number, key: KeyHash): void {
    if (start <= this.#knownAfter) return
    let filter = this.#filters.get(start)
    if (filter === undefined) {
      if (this.#filters.size === WINDOWS_MAX) this.#giveUp(Math.min(...this.#filters.keys()))
      if (start <= this.#knownAfter) return
      this.#filters.set(start, (filter = new KeyFilter()))
    }
    if (filter.isFull) this.#giveUp(start)
    else filter.add(key)
  }

  /** The window and those before it. */
  #giveUp(start: number): void {
    this.#knownAfter = Math.max(this.#knownAfter, start)
    for (const known of this.#filters.keys()) if (known <= start) this.#filters.delete(known)
  }
}
