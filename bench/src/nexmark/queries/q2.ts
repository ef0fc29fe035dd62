/**
 * q2, selection: the prices that are bid on certain auctions.
 */
import { json, none } from "@millrace/schema"
import * as S from "@millrace/streams"
import { type Bid, bidsOf, type Events } from "../events.ts"

export type Q2 = Pick<Bid, "auction" | "price">

export const q2 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.filter(({ auction }) => auction % 123 === 0),
    S.map(({ auction, price }) => ({ auction, price })),
    S.to(S.topic(output, { key: none, value: json<Q2>() })),
  )
