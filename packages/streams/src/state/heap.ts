/** A binary heap of strings, the least first. */
export class Heap {
  #items: string[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): string | undefined {
    return this.#items[0]
  }

  push(item: string): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]! <= item) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  pop(): string | undefined {
    const items = this.#items
    const least = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return least
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++
      if (items[child]! >= last) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return least
  }

  /** Keeps the lower half and answers the least of what went. */
  keepLower(): string {
    const sorted = this.#items.sort()
    const half = sorted.length >> 1
    const bound = sorted[half]!
    let kept = half
    // What equals the bound goes with it.
    while (kept > 0 && sorted[kept - 1] === bound) kept--
    // A sorted array is a heap.
    this.#items = sorted.slice(0, kept)
    return bound
  }
}
