/**
 * q0, pass through: all bids, as they are.
 */
import { json, none } from "@millrace/schema"
import * as S from "@millrace/streams"
import { type Bid, bidsOf, type Events } from "../events.ts"

export type Q0 = Omit<Bid, "channel" | "url">

export const q0 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.map(({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra })),
    S.to(S.topic(output, { key: none, value: json<Q0>() })),
  )
