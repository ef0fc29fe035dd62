/**
 * q1, currency conversion: each bid's price in euros.
 */
import { json, none } from "@millrace/schema"
import * as S from "@millrace/streams"
import { bidsOf, type Events } from "../events.ts"
import type { Q0 } from "./q0.ts"

export const q1 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price: (908 * price) / 1_000,
      dateTime,
      extra,
    })),
    S.to(S.topic(output, { key: none, value: json<Q0>() })),
  )
