/**
 * q19, auction top 10 price: the ten highest bids of each auction, with their ranks.
 *
 * Few bids get among the ten, so a processor of one's own keeps them: it puts out the ranks that change, and nothing else.
 */
import { int64, json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { type Bid, bidsOf, type Events } from "../events.ts"

/** Under auction and rank. */
export interface Q19 extends Bid {
  readonly rank_number: number
}

const RANKS = 10

const highest = S.keyValueStore<number, readonly Bid[]>("highest", { key: int64 })

export const q19 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.keyBy(({ auction }) => auction, { key: int64 }),
    S.process("ranks", { stores: { highest }, key: string, value: json<Q19>() }, ({ stores, forward }) => ({
      process({ key: auction, value: bid }) {
        const before = stores.highest.get(auction) ?? []
        const lower = before.findIndex(({ price }) => price < bid.price)
        const rank = lower < 0 ? before.length : lower
        if (rank === RANKS) return
        const after = before.toSpliced(rank, 0, bid).slice(0, RANKS)
        stores.highest.put(auction, after)
        for (let at = rank; at < after.length; at++)
          forward({ key: `${auction} ${at + 1}`, value: { ...after[at]!, rank_number: at + 1 } })
      },
    })),
    S.to(S.topic(output, { key: string, value: json<Q19>() })),
  )
