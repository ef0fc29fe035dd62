/**
 * q4, average price for a category: of the winning bids of its auctions. A bid counts while its auction runs.
 *
 * A bid may come before its auction does, so both go to one processor by the auction's id. It sends on by how much the
 * category's sum grows: a better bid takes the place of the one before.
 */
import { int64, json } from "@millrace/schema"
import * as S from "@millrace/streams"
import { type Events, PERSON } from "../events.ts"

export interface Q4 {
  readonly category: number
  /** Whole, as SQL's average of integers is. */
  readonly average: number
}

interface Running {
  readonly auction?: { readonly category: number; readonly from: number; readonly until: number }
  readonly best?: number
  /** Bids that came before the auction. */
  readonly early: readonly Offer[]
}

interface Offer {
  readonly price: number
  readonly time: number
}

const running = S.keyValueStore<number, Running>("running", { key: int64 })

export const q4 = (events: Events, output: string) =>
  events.pipe(
    S.filter(({ event_type }) => event_type !== PERSON),
    S.map(({ auction, bid }) =>
      auction !== null
        ? { id: auction.id, category: auction.category, from: auction.dateTime, until: auction.expires }
        : { id: bid!.auction, price: bid!.price, time: bid!.dateTime },
    ),
    S.keyBy(({ id }) => id, { key: int64 }),
    S.process("winning-bids", { stores: { running }, key: int64, value: json<Growth>() }, ({ stores, forward }) => {
      function offer(id: number, state: Running, offers: readonly Offer[]) {
        const { category, from, until } = state.auction!
        const counted = offers.filter(({ time }) => time >= from && time <= until)
        const best = counted.reduce((most, { price }) => Math.max(most, price), state.best ?? -1)
        if (best === (state.best ?? -1)) return state
        forward({ key: category, value: { sum: best - (state.best ?? 0), count: state.best === undefined ? 1 : 0 } })
        return { ...state, best }
      }
      return {
        process({ key: id, value }) {
          const before = stores.running.get(id) ?? { early: [] }
          let after: Running
          if (value.price === undefined)
            after = { ...offer(id, { auction: value, early: [] }, before.early), early: [] }
          else if (before.auction === undefined) after = { early: [...before.early, value] }
          else after = offer(id, before, [value])
          if (after !== before) stores.running.put(id, after)
        },
      }
    }),
    S.aggregate("by-category", {
      init: () => ({ sum: 0, count: 0 }),
      add: (total, { sum, count }) => ({ sum: total.sum + sum, count: total.count + count }),
    }),
    S.toStream(),
    S.map(({ sum, count }, { key }) => ({ category: key, average: Math.floor(sum / count) })),
    S.to(S.topic(output, { key: int64, value: json<Q4>() })),
  )

interface Growth {
  readonly sum: number
  readonly count: number
}
