/**
 * q12, processing time windows: how many bids a user makes within 10 seconds of the clock on the wall. Its events are
 * those of a source with `timestamp: "wall-clock"`.
 *
 * Without input no time passes for an operator: the last window of all would never close. So each count is put out, and
 * takes the place of the one before.
 */
import { int64, json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { bidsOf, type Events } from "../events.ts"
import type { BidsOfUser } from "./q11.ts"

export const q12 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.keyBy(({ bidder }) => bidder, { key: int64 }),
    S.map(() => 1),
    S.window(S.tumbling("10 seconds")),
    S.count("bids"),
    S.toStream(),
    S.mapRecord(({ key: { key: bidder, start, end }, value: bid_count }) => ({
      key: `${bidder} ${start}`,
      value: { bidder, bid_count, starttime: start, endtime: end },
    })),
    S.to(S.topic(output, { key: string, value: json<BidsOfUser>() })),
  )
