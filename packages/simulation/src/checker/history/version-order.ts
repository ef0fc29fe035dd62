/**
 * What stands where, as far as the history tells: by key, the values that were acknowledged or seen at each offset. Failed
 * sends tell nothing, and unknown ones only once somebody has read them. Places count densely: offsets that hold markers,
 * and what was aborted, leave no gap.
 */
import { type History, pollsOf, sendsOf } from "./history.ts"

export class VersionOrder {
  readonly #values = new Map<string, Map<number, Set<string>>>()
  readonly #places = new Map<string, Map<string, number>>()

  constructor(history: History) {
    const read = new Set(history.flatMap(pollsOf).flatMap(({ reads }) => reads.map(({ value }) => value)))
    for (const operation of history) {
      for (const { key, reads } of pollsOf(operation))
        for (const { offset, value } of reads) this.#put(key, offset, value)
      for (const { key, offset, value } of sendsOf(operation)) {
        if (offset === undefined || offset < 0) continue
        if (operation.type === "ok" || (operation.type === "info" && read.has(value))) this.#put(key, offset, value)
      }
    }
    for (const [key, byOffset] of this.#values) {
      const places = new Map<string, number>()
      const offsets = [...byOffset.keys()].sort((a, b) => a - b)
      for (const [place, offset] of offsets.entries())
        for (const value of byOffset.get(offset)!) places.set(value, place)
      this.#places.set(key, places)
    }
  }

  keys(): Iterable<string> {
    return this.#values.keys()
  }

  /** Values at each offset of a key: one, unless something is wrong. */
  at(key: string): ReadonlyMap<number, ReadonlySet<string>> {
    return this.#values.get(key) ?? new Map()
  }

  /** The value's place among those of its key; undefined when nobody knows it. */
  place(key: string, value: string): number | undefined {
    return this.#places.get(key)?.get(value)
  }

  #put(key: string, offset: number, value: string): void {
    let byOffset = this.#values.get(key)
    if (byOffset === undefined) this.#values.set(key, (byOffset = new Map()))
    const values = byOffset.get(offset)
    if (values) values.add(value)
    else byOffset.set(offset, new Set([value]))
  }
}
