/**
 * q18, find last bid: a bidder's last bid on an auction.
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { type Bid, bidsOf, type Events } from "../events.ts"

export const q18 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.keyBy(({ bidder, auction }) => `${bidder} ${auction}`, { key: string }),
    S.reduce("last-bid", (last, bid) => (bid.dateTime >= last.dateTime ? bid : last)),
    S.toStream(),
    S.to(S.topic(output, { key: string, value: json<Bid>() })),
  )
