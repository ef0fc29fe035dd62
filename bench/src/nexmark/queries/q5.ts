/**
 * q5, hot items: the auctions with the most bids of the last 10 seconds, every 2 seconds.
 */
import { int64, json } from "@millrace/schema"
import * as S from "@millrace/streams"
import { bidsOf, type Events } from "../events.ts"

/** Under the window's start. */
export interface Q5 {
  readonly num: number
  /** More than one where they are even. */
  readonly auctions: readonly number[]
}

export const q5 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.keyBy(({ auction }) => auction, { key: int64 }),
    // Counting needs no values: the keys alone go through the topic.
    S.map(() => 1),
    S.window(S.hopping("10 seconds", { advance: "2 seconds", grace: "4 seconds", emit: "on-window-close" })),
    S.count("bids"),
    S.toStream(),
    S.map((num, { key }) => ({ auction: key.key, num, start: key.start })),
    S.keyBy(({ start }) => start, { key: int64 }),
    S.aggregate("hottest", {
      init: (): Q5 => ({ num: 0, auctions: [] }),
      add: (most, { auction, num }) => {
        if (num < most.num) return most
        return { num, auctions: num > most.num ? [auction] : [...most.auctions, auction] }
      },
    }),
    S.toStream(),
    S.to(S.topic(output, { key: int64, value: json<Q5>() })),
  )
