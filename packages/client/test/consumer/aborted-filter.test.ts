import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { AbortedFilter } from "../../src/consumer/aborted-filter.ts"

/** A log of one-offset batches: "a1" is data of producer 1 in a transaction that aborts, "A1" its ABORT marker, and so on. */
type Entry = {
  readonly offset: number
  readonly producerId: number
  readonly kind: "data" | "marker"
  readonly aborts: boolean
}

function parse(text: string): Entry[] {
  return text.split(" ").map((token, offset) => ({
    offset,
    producerId: Number(token.slice(1)),
    kind: /[AC]/.test(token) ? "marker" : "data",
    aborts: /[aA]/.test(token),
  }))
}

const plain = (entry: Entry) => ({ lastOffset: entry.offset, producerId: entry.producerId, isTransactional: true })

/** What a broker lists for an answer with entries [from, to): aborted transactions that overlap it. */
function listed(log: readonly Entry[], from: number, to: number) {
  const list: { producerId: number; firstOffset: number }[] = []
  const open = new Map<number, number>()
  for (const entry of log) {
    if (entry.kind === "data" && entry.aborts && !open.has(entry.producerId)) open.set(entry.producerId, entry.offset)
    if (entry.kind !== "marker" || !entry.aborts) continue
    const firstOffset = open.get(entry.producerId)
    open.delete(entry.producerId)
    if (firstOffset !== undefined && firstOffset < to && entry.offset >= from) {
      list.push({ producerId: entry.producerId, firstOffset })
    }
  }
  return list.toSorted((a, b) => a.firstOffset - b.firstOffset)
}

function read(log: readonly Entry[], cuts: readonly number[]): number[] {
  const filter = new AbortedFilter()
  const seen: number[] = []
  const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < log.length), log.length])].toSorted(
    (a, b) => a - b,
  )
  let from = 0
  for (const to of ends) {
    const list = listed(log, from, to)
    filter.begin(list.length === 0 ? null : list)
    for (const entry of log.slice(from, to)) {
      if (entry.kind === "marker") filter.marker(entry.offset, entry.producerId)
      else if (filter.admits(plain(entry))) seen.push(entry.offset)
    }
    from = to
  }
  return seen
}

describe("what was delivered by clients that got it wrong", () => {
  test.each([
    ["a transaction cut by an answer's end", "a1 a1 a1 A1 c1 C1", [2], [4]],
    ["two aborted ones of the same producer in one answer", "a1 A1 a1 A1 c1 C1", [], [4]],
    ["an aborted one around a committed one of another producer", "a1 c2 a1 C2 A1", [], [1]],
    ["an abort, then a commit of the same producer", "a1 A1 c1 C1 a1 A1", [1, 4], [2]],
    ["nothing aborted", "c1 c2 C1 C2", [2], [0, 1]],
  ] as const)("%s", (_, text, cuts, expected) => {
    expect(read(parse(text), cuts)).toEqual(expected)
  })
})

test("for every interleaving and every cut, committed data and nothing else", () => {
  const transaction = fc.record({
    producerId: fc.integer({ min: 1, max: 3 }),
    aborts: fc.boolean(),
    size: fc.integer({ min: 1, max: 3 }),
  })
  const logs = fc
    .tuple(fc.array(transaction, { maxLength: 8 }), fc.infiniteStream(fc.nat()))
    .map(([transactions, picks]) => {
      // Each producer's transactions run one after another, the producers' interleave.
      const byProducer = new Map<number, Omit<Entry, "offset">[]>()
      for (const { producerId, aborts, size } of transactions) {
        const list = byProducer.get(producerId) ?? []
        byProducer.set(producerId, list)
        for (let index = 0; index < size; index++) list.push({ producerId, aborts, kind: "data" })
        list.push({ producerId, aborts, kind: "marker" })
      }
      const log: Entry[] = []
      while (true) {
        const left = [...byProducer.values()].filter((list) => list.length > 0)
        if (left.length === 0) return log
        log.push({ ...left[picks.next().value % left.length]!.shift()!, offset: log.length })
      }
    })
  fc.assert(
    fc.property(logs, fc.array(fc.nat(30)), (log, cuts) => {
      const expected = log.filter(({ kind, aborts }) => kind === "data" && !aborts).map(({ offset }) => offset)
      expect(read(log, cuts)).toEqual(expected)
    }),
  )
})

test("a jump forgets what was open", () => {
  const filter = new AbortedFilter()
  filter.begin([{ producerId: 1, firstOffset: 0 }])
  expect(filter.admits({ lastOffset: 1, producerId: 1, isTransactional: true })).toBe(false)
  filter.reset()
  expect(filter.admits({ lastOffset: 2, producerId: 1, isTransactional: true })).toBe(true)
})

test("records outside transactions are never hidden", () => {
  const filter = new AbortedFilter()
  filter.begin([{ producerId: 1, firstOffset: 0 }])
  expect(filter.admits({ lastOffset: 1, producerId: 1, isTransactional: false })).toBe(true)
})
