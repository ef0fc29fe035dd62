/** Pipelines of operators with a memory per key for the commit-boundary property: commit-independence.prop.test.ts. */
import * as S from "../src/index.ts"
import { type Event, Events, Other, Out, type Pipelines } from "./events.ts"

export const REMEMBER_PIPELINES: Pipelines = [
  [
    "sums, pairs, changes and throttled values",
    () => {
      const events = S.stream(Events)
      const pairs = S.pairwise<number>("pairs")
      return [
        events.pipe(
          S.throttleTime("throttled", 3),
          S.scan(
            "sums",
            (sum: number, { amount }: Event) => sum + amount,
            () => 0,
          ),
          pairs,
          S.to(Out),
        ),
        events.pipe(
          S.distinctUntilChanged("changes", ({ amount }) => ({ isLarge: amount > 4 })),
          S.to(Other),
        ),
      ]
    },
    ["throttled", "sums", "pairs", "changes"],
  ],
  [
    "values held back until there is silence, or for a time",
    () => {
      const events = S.stream(Events)
      return [events.pipe(S.debounceTime("silent", 5), S.to(Out)), events.pipe(S.auditTime("audited", 5), S.to(Other))]
    },
    ["silent", "silent-timers", "audited", "audited-timers"],
  ],
  [
    "values put together, by number and by time",
    () => {
      const events = S.stream(Events)
      return [
        events.pipe(S.bufferCount("by-number", 3), S.to(Out)),
        events.pipe(S.bufferTime("by-time", 8), S.to(Other)),
      ]
    },
    ["by-number", "by-time", "by-time-timers"],
  ],
]
