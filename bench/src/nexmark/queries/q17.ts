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

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, "yyyy-mm-dd".length)

export const q17 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.map(({ auction, dateTime, price }) => ({ auction, day: dayOf(dateTime), price })),
    S.keyBy(({ auction, day }) => `${auction} ${day}`, { key: string }),
    S.aggregate("by-day", {
      init: (): Q17 | undefined => undefined,
      add: (before, { auction, day, price }) => {
        const count = before?.total_bids ?? 0
        const sum_price = (before?.sum_price ?? 0) + price
        return {
          auction,
          day,
          total_bids: count + 1,
          rank1_bids: (before?.rank1_bids ?? 0) + (price < 10_000 ? 1 : 0),
          rank2_bids: (before?.rank2_bids ?? 0) + (price >= 10_000 && price < 1_000_000 ? 1 : 0),
          rank3_bids: (before?.rank3_bids ?? 0) + (price >= 1_000_000 ? 1 : 0),
          min_price: Math.min(before?.min_price ?? price, price),
          max_price: Math.max(before?.max_price ?? price, price),
          avg_price: Math.floor(sum_price / (count + 1)),
          sum_price,
        }
      },
    }),
    S.toStream(),
    S.map((statistics) => statistics!),
    S.to(S.topic(output, { key: string, value: json<Q17>() })),
  )
