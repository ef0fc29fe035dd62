/**
 * Whether what a query put out is what it must put out: rows go in as they are read back, and in the end the answer that
 * was computed from the generator is held against them.
 *
 * Rows are compared as JSON with their columns in order, by hash, so that a million of them fit.
 */
export interface Check<Input> {
  row(key: string, value: unknown): void
  /** What is wrong with the rows of an input; undefined if nothing. */
  problem(input: Input): string | undefined
}

/** Every row counts, in whatever order. */
export function everyRow<Input>(expected: (input: Input) => Iterable<unknown>): Check<Input> {
  const got = new Multiset()
  return {
    row: (_key, value) => got.add(value),
    problem(input) {
      const due = new Multiset()
      for (const value of expected(input)) due.add(value)
      if (got.count !== due.count) return `${got.count} rows where ${due.count} were to come`
      return got.sum === due.sum ? undefined : "other rows than were to come"
    },
  }
}

/** Of a key the last row counts. Where events are even, any of several rows is right. */
export function lastRows<Input>(
  expected: (input: Input) => Iterable<readonly [key: string, ...right: unknown[]]>,
): Check<Input> {
  const got = new Map<string, number>()
  return {
    row: (key, value) => void got.set(key, hashOf(value)),
    problem(input) {
      let keys = 0
      for (const [key, ...right] of expected(input)) {
        keys++
        const row = got.get(key)
        if (row === undefined) return `no row of ${key}`
        if (!right.some((value) => hashOf(value) === row)) return `another row of ${key}`
      }
      return got.size === keys ? undefined : `rows of ${got.size} keys where ${keys} were to come`
    },
  }
}

/**
 * One row at most of a key, sent when its window closes. Of windows that end shortly before the input does it is no error
 * if they have not closed: `isDue` says which must have. An undefined value is that of a window of which nothing is known.
 */
export function closedRows<Input>(
  expected: (input: Input) => Iterable<readonly [key: string, value: unknown, isDue: boolean]>,
): Check<Input> {
  const got = new Map<string, number>()
  let twice: string | undefined
  return {
    row(key, value) {
      if (got.has(key)) twice ??= key
      got.set(key, hashOf(value))
    },
    problem(input) {
      if (twice !== undefined) return `two rows of ${twice}`
      let known = 0
      for (const [key, value, isDue] of expected(input)) {
        const row = got.get(key)
        if (row === undefined && isDue) return `no row of ${key}`
        if (row !== undefined && value !== undefined && row !== hashOf(value)) return `another row of ${key}`
        if (row !== undefined) known++
      }
      return got.size === known ? undefined : `rows of ${got.size - known} keys that were not to come`
    },
  }
}

class Multiset {
  count = 0
  sum = 0

  add(value: unknown): void {
    this.count++
    this.sum = (this.sum + hashOf(value)) % 2 ** HASH_BITS
  }
}

/** Two of them add up to a safe integer. */
const HASH_BITS = 52

function hashOf(value: unknown): number {
  const text = JSON.stringify(value, (_name, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  )
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    high = Math.imul(high ^ code, 2_654_435_761)
    low = Math.imul(low ^ code, 1_597_334_677)
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909)
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909)
  return (low >>> 0) * 2 ** 20 + (high >>> 12)
}
