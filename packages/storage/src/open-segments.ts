/**
 * Bounds the files and indexes that a data directory holds open: the least recently used segment gives up first.
 *
 * Shared by all logs of a directory, so that ten thousand idle partitions cost neither descriptors nor index memory.
 */
export interface Releasable {
  /** Closes files and drops indexes; false when the segment is in use and has to stay. */
  release(): boolean
}

export const OPEN_SEGMENTS_MAX = 512

export class OpenSegments {
  readonly #limit: number
  readonly #order = new Set<Releasable>()
  #latest: Releasable | undefined

  constructor(limit: number = OPEN_SEGMENTS_MAX) {
    this.#limit = limit
  }

  get count(): number {
    return this.#order.size
  }

  /** Notes that a segment is used now. */
  touch(segment: Releasable): void {
    if (segment === this.#latest) return
    this.#order.delete(segment)
    this.#order.add(segment)
    this.#latest = segment
    if (this.#order.size > this.#limit) this.#evict()
  }

  /** Forgets a segment that was closed or deleted. */
  forget(segment: Releasable): void {
    this.#order.delete(segment)
    if (this.#latest === segment) this.#latest = undefined
  }

  #evict(): void {
    for (const candidate of this.#order) {
      if (candidate === this.#latest || !candidate.release()) continue
      this.#order.delete(candidate)
      if (this.#order.size <= this.#limit) return
    }
  }
}
