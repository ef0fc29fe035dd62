/**
 * q18, find last bid: a bidder's last bid on an auction.
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { type Bid, bidsOf, type Events } from "../events.ts"

const later = (last: Bid, bid: Bid): Bid => (bid.dateTime >= last.dateTime ? bid : last)

export const q18 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.keyBy(({ bidder, auction }) => `${bidder} ${auction}`, { key: string }),
    S.reducePerCommit(later),
    S.reduce("last-bid", later),
    S.toStream(),
    S.to(S.topic(output, { key: string, value: json<Bid>() })),
  )
