/**
 * q7, highest bid: the bids with the highest price of each 10 seconds.
 */
import { int64, json } from "@millrace/schema"
import * as S from "@millrace/streams"
import { bidsOf, type Events } from "../events.ts"
import type { Q0 } from "./q0.ts"

const higher = (bids: readonly Q0[], others: readonly Q0[]): readonly Q0[] => {
  const [first, second] = [bids[0]?.price ?? 0, others[0]?.price ?? 0]
  if (first === second) return [...bids, ...others]
  return first > second ? bids : others
}

const windows = S.tumbling("10 seconds", { grace: "4 seconds", emit: "on-window-close" })

export const q7 = (events: Events, output: string) =>
  bidsOf(events).pipe(
    S.map(({ auction, bidder, price, dateTime, extra }): Q0 => ({ auction, bidder, price, dateTime, extra })),
    // The highest of each auction first, so that the work is spread.
    S.keyBy(({ auction }) => auction, { key: int64 }),
    S.window(windows),
    S.aggregate("by-auction", { init: (): readonly Q0[] => [], add: (highest, bid) => higher(highest, [bid]) }),
    S.toStream(),
    S.keyBy((_bids, { key }) => key.start, { key: int64 }),
    S.window(windows),
    S.aggregate("highest", { init: (): readonly Q0[] => [], add: (highest, bids) => higher(highest, bids) }),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({ key: key.key, value })),
    S.to(S.topic(output, { key: int64, value: json<readonly Q0[]>() })),
  )
