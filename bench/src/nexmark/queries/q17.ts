/**
 * q17, auction statistics report: bids and prices of an auction in a day.
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { bidsOf, type Events } from "../events.ts"

export interface Q17 {
  readonly auction: number
  readonly day: string
  readonly total_bids: number
  readonly rank1_bids: number
  readonly rank2_bids: number
  readonly rank3_bids: number
  readonly min_price: number
  readonly max_price: number
  /** Whole, as SQL's average of integers is. */
  readonly avg_price: number
  readonly sum_price: number
}

/** With the day as a number: many bids are on one. */
type OfDay = Omit<Q17, "day"> & { readonly day: number }

const DAY_MS = 86_400_000
const textOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, "yyyy-mm-dd".length)

const oneBid = (auction: number, day: number, price: number): OfDay => ({
  auction,
  day,
  total_bids: 1,
  rank1_bids: price < 10_000 ? 1 : 0,
  rank2_bids: price >= 10_000 && price < 1_000_000 ? 1 : 0,
  rank3_bids: price >= 1_000_000 ? 1 : 0,
  min_price: price,
  max_price: price,
  avg_price: price,
  sum_price: price,
})

function together(left: OfDay, right: OfDay): OfDay {
  const total_bids = left.total_bids + right.total_bids
  const sum_price = left.sum_price + right.sum_price
  return {
    auction: left.auction,
    day: left.day,
    total_bids,
    rank1_bids: left.rank1_bids + right.rank1_bids,
    rank2_bids: left.rank2_bids + right.rank2_bids,
    rank3_bids: left.rank3_bids + right.rank3_bids,
    min_price: Math.min(left.min_price, right.min_price),
    max_price: Math.max(left.max_price, right.max_price),
    avg_price: Math.floor(sum_price / total_bids),
    sum_price,
  }
}

export const q17 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.map(({ auction, dateTime, price }) => oneBid(auction, Math.floor(dateTime / DAY_MS), price)),
    S.keyBy(({ auction, day }) => `${auction} ${day}`, { key: string }),
    // An auction's bids of one transaction go through the topic, and into the table, as one.
    S.reducePerCommit(together),
    S.reduce("by-day", together),
    S.toStream(),
    S.mapRecord(({ value }) => {
      const day = textOf(value.day)
      return { key: `${value.auction} ${day}`, value: { ...value, day } }
    }),
    S.to(S.topic(output, { key: string, value: json<Q17>() })),
  )
