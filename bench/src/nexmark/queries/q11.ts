/**
 * q11, user sessions: how many bids a user makes in each session, which ends after 10 seconds without one.
 */
import { int64, json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { bidsOf, type Events } from "../events.ts"

export interface BidsOfUser {
  readonly bidder: number
  readonly bid_count: number
  readonly starttime: number
  readonly endtime: number
}

const GAP_MS = 10_000

export const q11 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.keyBy(({ bidder }) => bidder, { key: int64 }),
    S.map(() => 1),
    S.window(S.session(GAP_MS, { grace: "4 seconds", emit: "on-window-close" })),
    S.count("bids"),
    S.toStream(),
    S.mapRecord(({ key: { key: bidder, start, end }, value: bid_count }) => ({
      key: `${bidder} ${start}`,
      value: { bidder, bid_count, starttime: start, endtime: end + GAP_MS },
    })),
    S.to(S.topic(output, { key: string, value: json<BidsOfUser>() })),
  )
