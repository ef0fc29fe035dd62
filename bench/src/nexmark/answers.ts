/**
 * What each query must put out for the first n events, computed straight from the generator: no streams, no state that
 * could be shared with the pipelines.
 */
import { type Check, closedRows, everyRow, lastRows } from "./checks.ts"
import type { Auction, Bid, Person } from "./events.ts"
import type { Generator } from "./generator.ts"
import type { QueryName } from "./queries/index.ts"
import type { BidsOfUser } from "./queries/q11.ts"

/** The first n events of a generator. */
export class Input {
  readonly #generator: Generator
  readonly #n: number

  constructor(generator: Generator, n: number) {
    this.#generator = generator
    this.#n = n
  }

  *#all<T>(kind: "person" | "auction" | "bid"): Iterable<T> {
    for (let at = 0; at < this.#n; at++) {
      const event = this.#generator.eventAt(at)
      if (event[kind] !== null) yield event[kind] as T
    }
  }

  get bids(): Iterable<Bid> {
    return this.#all("bid")
  }

  get auctions(): Iterable<Auction> {
    return this.#all("auction")
  }

  get persons(): Iterable<Person> {
    return this.#all("person")
  }

  /** A window that ends so long before the input does must have closed. */
  isDue(end: number): boolean {
    return end + GRACE_MS + TOLD_MS <= this.#generator.timeOf(this.#n - 1)
  }
}

function grouped<K, T>(all: Iterable<T>, keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const one of all) {
    const group = groups.get(keyOf(one))
    if (group === undefined) groups.set(keyOf(one), [one])
    else group.push(one)
  }
  return groups
}

const WINDOW_MS = 10_000
const GRACE_MS = 4_000
/** Behind two repartition topics a window closes when time has been told through both, once a second. */
const TOLD_MS = 3_000

const windowOf = (time: number): number => Math.floor(time / WINDOW_MS) * WINDOW_MS
const short = ({ auction, bidder, price, dateTime, extra }: Bid) => ({ auction, bidder, price, dateTime, extra })

export const ANSWERS: Readonly<Record<QueryName, () => Check<Input>>> = {
  q0: () =>
    everyRow(function* (input) {
      for (const bid of input.bids) yield short(bid)
    }),
  q1: () =>
    everyRow(function* (input) {
      for (const bid of input.bids) yield { ...short(bid), price: (bid.price * 908) / 1_000 }
    }),
  q2: () =>
    everyRow(function* (input) {
      for (const { auction, price } of input.bids) if (auction % 123 === 0) yield { auction, price }
    }),
  q3: () =>
    lastRows(function* (input) {
      const people = new Map([...input.persons].map((person) => [person.id, person]))
      for (const { id, seller, category } of input.auctions) {
        const { name, city, state } = people.get(seller) ?? {}
        if (category === 10 && (state === "OR" || state === "ID" || state === "CA"))
          yield [`${id}`, { name, city, state, id }]
      }
    }),
  q4: () =>
    lastRows(function* (input) {
      const auctions = new Map([...input.auctions].map((auction) => [auction.id, auction]))
      const finals = new Map<number, number>()
      for (const { auction, price, dateTime } of input.bids) {
        const on = auctions.get(auction)
        if (on === undefined || dateTime < on.dateTime || dateTime > on.expires) continue
        finals.set(auction, Math.max(finals.get(auction) ?? 0, price))
      }
      for (const [category, ids] of grouped(finals.keys(), (id) => auctions.get(id)!.category)) {
        const sum = ids.reduce((total, id) => total + finals.get(id)!, 0)
        yield [`${category}`, { category, average: Math.floor(sum / ids.length) }]
      }
    }),
  q5: () => {
    const check = closedRows(function* (input: Input) {
      const counts = new Map<number, Map<number, number>>()
      for (const { auction, dateTime } of input.bids) {
        for (let start = Math.floor(dateTime / 2_000) * 2_000; start > dateTime - WINDOW_MS; start -= 2_000) {
          const window = counts.get(start) ?? new Map<number, number>()
          counts.set(start, window.set(auction, (window.get(auction) ?? 0) + 1))
        }
      }
      for (const [start, window] of counts) {
        const num = Math.max(...window.values())
        const auctions = [...window.keys()].filter((auction) => window.get(auction) === num).sort(ascending)
        // Of a window that is not due some auctions may have closed, and others not.
        const isSure = input.isDue(start + WINDOW_MS)
        yield [`${start}`, isSure ? { num, auctions } : undefined, isSure]
      }
    })
    return latestOf(check, (value: { auctions: number[] }) => ({ ...value, auctions: value.auctions.sort(ascending) }))
  },
  q7: () => {
    const check = closedRows(function* (input: Input) {
      for (const [start, bids] of grouped(input.bids, ({ dateTime }) => windowOf(dateTime))) {
        const most = bids.reduce((price, bid) => Math.max(price, bid.price), 0)
        const highest = bids.filter(({ price }) => price === most).map(short)
        yield [`${start}`, highest.sort(byText), input.isDue(start + 2 * WINDOW_MS)]
      }
    })
    return { ...check, row: (key, value) => check.row(key, (value as unknown[]).toSorted(byText)) }
  },
  q8: () =>
    closedRows(function* (input) {
      const sellers = new Set([...input.auctions].map(({ seller, dateTime }) => `${seller} ${windowOf(dateTime)}`))
      for (const { id, name, dateTime } of input.persons) {
        const starttime = windowOf(dateTime)
        if (sellers.has(`${id} ${starttime}`))
          yield [`${id} ${starttime}`, { id, name, starttime }, input.isDue(starttime + WINDOW_MS)]
      }
    }),
  q11: () =>
    closedRows(function* (input) {
      for (const [bidder, bids] of grouped(input.bids, (bid) => bid.bidder)) {
        let session: { start: number; end: number; count: number } | undefined
        const sessions = []
        for (const { dateTime } of bids) {
          if (session === undefined || dateTime - session.end > WINDOW_MS)
            sessions.push((session = { start: dateTime, end: dateTime, count: 0 }))
          session.end = dateTime
          session.count++
        }
        for (const { start, end, count } of sessions) {
          const row = { bidder, bid_count: count, starttime: start, endtime: end + WINDOW_MS }
          yield [`${bidder} ${start}`, row, input.isDue(end + WINDOW_MS)]
        }
      }
    }),
  q12: () => {
    // Which window a bid falls into depends on the clock: those of a bidder together are all bids.
    const counts = new Map<string, BidsOfUser>()
    return {
      row: (key, value) => void counts.set(key, value as BidsOfUser),
      problem(input) {
        const totals = lastRows(function* (input: Input) {
          for (const [bidder, bids] of grouped(input.bids, (bid) => bid.bidder)) yield [`${bidder}`, bids.length]
        })
        for (const [bidder, rows] of grouped(counts.values(), (row) => row.bidder))
          totals.row(
            `${bidder}`,
            rows.reduce((sum, { bid_count }) => sum + bid_count, 0),
          )
        return totals.problem(input)
      },
    }
  },
  q17: () =>
    lastRows(function* (input) {
      const dayOf = ({ dateTime }: Bid) => new Date(dateTime).toISOString().slice(0, 10)
      for (const [key, bids] of grouped(input.bids, (bid) => `${bid.auction} ${dayOf(bid)}`)) {
        const prices = bids.map(({ price }) => price)
        const sum_price = prices.reduce((sum, price) => sum + price, 0)
        yield [
          key,
          {
            auction: bids[0]!.auction,
            day: dayOf(bids[0]!),
            total_bids: bids.length,
            rank1_bids: prices.filter((price) => price < 10_000).length,
            rank2_bids: prices.filter((price) => price >= 10_000 && price < 1_000_000).length,
            rank3_bids: prices.filter((price) => price >= 1_000_000).length,
            min_price: Math.min(...prices),
            max_price: Math.max(...prices),
            avg_price: Math.floor(sum_price / bids.length),
            sum_price,
          },
        ]
      }
    }),
  q18: () =>
    lastRows(function* (input) {
      for (const [key, bids] of grouped(input.bids, ({ bidder, auction }) => `${bidder} ${auction}`)) {
        const last = bids.at(-1)!.dateTime
        yield [key, ...bids.filter(({ dateTime }) => dateTime === last)]
      }
    }),
  q19: () =>
    lastRows(function* (input) {
      for (const [auction, bids] of grouped(input.bids, (bid) => bid.auction)) {
        const ranked = bids.sort((left, right) => right.price - left.price)
        for (const [at, { price }] of ranked.slice(0, 10).entries()) {
          const even = ranked.filter((bid) => bid.price === price)
          yield [`${auction} ${at + 1}`, ...even.map((bid) => ({ ...bid, rank_number: at + 1 }))]
        }
      }
    }),
  q20: () =>
    everyRow(function* (input) {
      const auctions = new Map([...input.auctions].map((auction) => [auction.id, auction]))
      for (const bid of input.bids) {
        const auction = auctions.get(bid.auction)
        if (auction?.category !== 10) continue
        const { id: _, dateTime: auction_dateTime, extra: auction_extra, ...rest } = auction
        yield { ...bid, ...rest, auction_dateTime, auction_extra }
      }
    }),
}

const ascending = (left: number, right: number): number => left - right
const byText = (left: unknown, right: unknown): number => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)

/** A window's row is put out again while the rows it is made of come in: the last one counts. */
function latestOf<T>(check: Check<Input>, shown: (value: T) => unknown): Check<Input> {
  const latest = new Map<string, T>()
  return {
    row: (key, value) => void latest.set(key, value as T),
    problem(input) {
      for (const [key, value] of latest) check.row(key, shown(value))
      return check.problem(input)
    },
  }
}
