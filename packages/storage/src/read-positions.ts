/** Positions of the batches at which readers of a segment are: a handful, the oldest goes first. */
const POSITIONS_MAX = 16

export class ReadPositions {
  readonly #positions = new Map<number, number>()

  get(offset: number): number | undefined {
    return this.#positions.get(offset)
  }

  /** The batch that starts with `offset`, or follows it, lies at `position`. */
  set(offset: number, position: number): void {
    this.#positions.delete(offset)
    this.#positions.set(offset, position)
    if (this.#positions.size <= POSITIONS_MAX) return
    for (const oldest of this.#positions.keys()) {
      this.#positions.delete(oldest)
      return
    }
  }

  clear(): void {
    this.#positions.clear()
  }
}
