/**
 * q20, expand bid with auction: bids of auctions in category 10, with these.
 *
 * Bids may come before their auction does, and no window bounds the join: a processor of one's own lets bids wait until it
 * is known whether their auction is one of these.
 */
import { int64, json, none } from "@millrace/schema"
import * as S from "@millrace/streams"
import { type Auction, type Bid, type Events, PERSON } from "../events.ts"

export interface Q20 extends Bid, Omit<Auction, "id" | "dateTime" | "extra"> {
  readonly auction_dateTime: number
  readonly auction_extra: string
}

interface Known {
  readonly auction?: Auction
  readonly isOther?: boolean
  readonly early: readonly Bid[]
}

const known = S.keyValueStore<number, Known>("known", { key: int64 })
const OTHER: Known = { isOther: true, early: [] }

function expanded(bid: Bid, auction: Auction): Q20 {
  const { id: _, dateTime: auction_dateTime, extra: auction_extra, ...rest } = auction
  return { ...bid, ...rest, auction_dateTime, auction_extra }
}

export const q20 = (events: Events, output: string) =>
  events.pipe(
    S.filter(({ event_type }) => event_type !== PERSON),
    S.map(({ auction, bid }) => auction ?? bid!),
    S.keyBy((one) => ("id" in one ? one.id : one.auction), { key: int64 }),
    S.process("expanded", { stores: { known }, key: none, value: json<Q20>() }, ({ stores, forward }) => ({
      process({ key: id, value: one }) {
        const before = stores.known.get(id)
        if ("id" in one) {
          const isOther = one.category !== 10
          if (!isOther) for (const bid of before?.early ?? []) forward({ key: null, value: expanded(bid, one) })
          stores.known.put(id, isOther ? OTHER : { auction: one, early: [] })
        } else if (before?.auction !== undefined) forward({ key: null, value: expanded(one, before.auction) })
        else if (before?.isOther !== true) stores.known.put(id, { early: [...(before?.early ?? []), one] })
      },
    })),
    S.to(S.topic(output, { key: none, value: json<Q20>() })),
  )
