/**
 * Committed bytes that are not in the engine yet: a map by key, kept in buckets by the key's first bytes.
 *
 * Stores whose keys begin with a time give that prefix's length: what is older than a bound is then found bucket by
 * bucket, without sorting everything. null marks a key deleted here that the engine may still hold.
 */
const ENTRY_OVERHEAD_BYTES = 96

export class Memtable {
  readonly #prefixLength: number
  readonly #buckets = new Map<string, Map<string, Uint8Array | null>>()
  /** Keys and values with what a map entry costs, roughly. */
  sizeBytes = 0
  entryCount = 0

  constructor(prefixLength: number) {
    this.#prefixLength = prefixLength
  }

  get(key: string): Uint8Array | null | undefined {
    return this.#buckets.get(key.slice(0, this.#prefixLength))?.get(key)
  }

  put(key: string, value: Uint8Array | null): void {
    const prefix = key.slice(0, this.#prefixLength)
    let bucket = this.#buckets.get(prefix)
    if (bucket === undefined) this.#buckets.set(prefix, (bucket = new Map()))
    const before = bucket.get(key)
    if (before === undefined) {
      this.entryCount++
      this.sizeBytes += ENTRY_OVERHEAD_BYTES + key.length + (value?.length ?? 0)
    } else this.sizeBytes += (value?.length ?? 0) - (before?.length ?? 0)
    bucket.set(key, value)
  }

  /** Entries with `from <= key < to`, in order or against it. */
  *range(
    from: string | undefined,
    to: string | undefined,
    reverse = false,
  ): Iterable<readonly [string, Uint8Array | null]> {
    const prefixes = this.#prefixesWithin(from?.slice(0, this.#prefixLength), to?.slice(0, this.#prefixLength))
    for (const prefix of reverse ? prefixes.toReversed() : prefixes) {
      const bucket = this.#buckets.get(prefix)!
      const keys = [...bucket.keys()].filter(
        (key) => (from === undefined || key >= from) && (to === undefined || key < to),
      )
      keys.sort()
      for (const key of reverse ? keys.toReversed() : keys) yield [key, bucket.get(key)!]
    }
  }

  /** Between two prefixes, both included, in order; one alone is found without looking at the others. */
  #prefixesWithin(from: string | undefined, to: string | undefined): string[] {
    if (from !== undefined && from === to) return this.#buckets.has(from) ? [from] : []
    const isWithin = (prefix: string) => (from === undefined || prefix >= from) && (to === undefined || prefix <= to)
    return [...this.#buckets.keys()].filter(isWithin).sort()
  }

  /** The prefixes there are keys with, in `[from, to)`, in no order. */
  *prefixes(from: string, to: string): Iterable<string> {
    for (const prefix of this.#buckets.keys()) if (prefix >= from && prefix < to) yield prefix
  }

  /** Keys in no order, of buckets that lie wholly in `[from, to)`: bounds are prefixes. */
  *keysBetween(from: string, to: string): Iterable<readonly [string, Uint8Array | null]> {
    for (const [prefix, bucket] of this.#buckets) if (prefix >= from && prefix < to) yield* bucket
  }

  /** Everything in the order of its keys. */
  inOrder(): Array<{ readonly key: string; readonly value: Uint8Array | null }> {
    const all: Array<{ readonly key: string; readonly value: Uint8Array | null }> = []
    for (const prefix of [...this.#buckets.keys()].sort()) {
      const bucket = this.#buckets.get(prefix)!
      for (const key of [...bucket.keys()].sort()) all.push({ key, value: bucket.get(key)! })
    }
    return all
  }
}
