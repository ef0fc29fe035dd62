/**
 * Clicks, gathered into visits: a visit of one user ends when nothing was clicked for half an hour. Each visit comes out once,
 * when no click can belong to it any more; clicks that come later than that are put aside, in the same transaction.
 *
 *   npm exec millrace -- run examples/pipelines/src/click-sessions.ts
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"

export interface Click {
  readonly page: string
}
export interface Visit {
  readonly user: string
  readonly from: number
  readonly to: number
  readonly pages: readonly string[]
}

export const Clicks = S.topic("clicks", { key: string, value: json<Click>() })
export const LateClicks = S.topic("clicks-late", { key: string, value: json<Click>() })
export const Visits = S.topic("visits", { key: string, value: json<Visit>() })

export default S.pipeline("click-sessions", () =>
  S.stream(Clicks).pipe(
    S.window(S.session("30 minutes", { grace: "5 minutes", emit: "on-window-close", lateTo: LateClicks })),
    S.aggregate("visits", {
      init: (): readonly string[] => [],
      add: (pages, { page }) => [...pages, page],
      merge: (earlier, later) => [...earlier, ...later],
    }),
    S.toStream(),
    S.mapRecord(({ key, value: pages }) => ({
      key: key.key,
      value: { user: key.key, from: key.start, to: key.end, pages },
    })),
    S.to(Visits),
  ),
)
