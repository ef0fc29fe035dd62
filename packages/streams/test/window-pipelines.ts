/** Pipelines of windows for the commit-boundary property: commit-independence.prop.test.ts. */
import { Effect } from "effect"
import * as S from "../src/index.ts"
import { type Event, Events, flat, Other, Out, type Pipelines } from "./events.ts"

const emit = "on-window-close"
const bounded = S.mapRecord(({ key, value }: S.Rec<S.Windowed<string>, unknown>) => ({
  key: `${key.key}@${key.start}-${key.end}`,
  value,
}))

const sums = {
  init: () => ({ sum: 0 }),
  add(all: { sum: number }, event: { amount: number }) {
    all.sum += event.amount
    return event.amount === 7 ? (null as never) : all
  },
}

export const WINDOW_PIPELINES: Pipelines = [
  [
    "tumbling windows that are emitted when they close, and windows of those",
    () =>
      S.stream(Events).pipe(
        S.window(S.tumbling(10, { grace: 5, emit })),
        S.aggregate("closing", sums),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: key.key, value })),
        S.window(S.hopping(20, { advance: 10, emit })),
        S.count("closed"),
        S.toStream(),
        flat,
        S.to(Out),
      ),
    ["closing", "closing-closing"],
  ],
  [
    "sessions that are emitted when they close",
    () =>
      S.stream(Events).pipe(
        S.window(S.session(5, { grace: 5, emit })),
        S.count("closing"),
        S.toStream(),
        bounded,
        S.to(Out),
      ),
    ["closing", "closing-ends"],
  ],
  [
    "windows and sessions that are emitted when they close, and kept for longer",
    () => {
      const events = S.stream(Events)
      return [
        events.pipe(
          S.window(S.session(5, { grace: 5, emit })),
          S.count("sessions", { retention: 40 }),
          S.toStream(),
          bounded,
          S.to(Out),
        ),
        events.pipe(
          S.window(S.sliding(6, { emit })),
          S.count("sliding", { retention: 50 }),
          S.toStream(),
          bounded,
          S.to(Out),
        ),
        events.pipe(
          S.window(S.tumbling(10, { emit })),
          S.aggregate("tumbling", { ...sums, retention: 30 }),
          S.toStream(),
          bounded,
          S.to(Out),
        ),
      ]
    },
    ["sessions", "sessions-ends", "sliding", "sliding-ends", "sliding-closing", "tumbling", "tumbling-closing"],
  ],
  [
    "late records on the side, of hopping windows and of a join",
    () => {
      const events = S.stream(Events)
      const large = events.pipe(S.filter((event) => event.amount > 6))
      const pairs = S.joinStream("pairs", large, { within: 2, lateTo: "other" }, (left: Event, { id }) => [left.id, id])
      return [
        events.pipe(
          S.window(S.hopping(10, { advance: 4, grace: 2, lateTo: Other })),
          S.count("hopping"),
          S.toStream(),
          flat,
          S.to(Out),
        ),
        events.pipe(pairs, S.to(Out)),
      ]
    },
    ["hopping", "pairs-left", "pairs-right"],
  ],
  [
    "windows behind repartitions and a filter, closed by what time marks tell",
    () =>
      S.stream(Events, { timestamp: (_, { timestamp }) => timestamp * 1_000 }).pipe(
        S.keyBy((event) => event.group),
        S.window(S.tumbling("10 seconds", { grace: "5 seconds", emit })),
        S.count("closing"),
        S.toStream(),
        S.filter((count) => count % 2 === 1),
        S.keyBy((_, { key }) => key.key),
        S.window(S.tumbling("20 seconds", { grace: "3 seconds", emit })),
        S.count("parts"),
        S.toStream(),
        flat,
        S.to(Out),
      ),
    ["closing", "closing-closing", "parts", "parts-closing"],
  ],
  [
    "windows behind a repartition, of a partition that is idle again and again",
    () =>
      S.stream(Events, { timestamp: (_, { timestamp }) => timestamp * 1_000, idleAfter: 5 }).pipe(
        S.mapEffect((event) => Effect.as(Effect.sleep(event.amount * 2), event), {
          name: "slow",
          concurrency: 2,
          timeout: 1_000,
        }),
        S.keyBy((event) => event.group),
        S.window(S.tumbling("10 seconds", { grace: "5 seconds", emit })),
        S.count("closing"),
        S.toStream(),
        flat,
        S.to(Out),
      ),
    [],
  ],
  [
    "sliding windows",
    () =>
      S.stream(Events).pipe(
        S.window(S.sliding(6, { grace: 4 })),
        S.aggregate("sliding", sums),
        S.toStream(),
        bounded,
        S.to(Out),
      ),
    ["sliding", "sliding-ends"],
  ],
  [
    "sliding windows that are emitted when they close",
    () =>
      S.stream(Events).pipe(
        S.window(S.sliding(6, { grace: 4, emit })),
        S.count("closing"),
        S.toStream(),
        bounded,
        S.to(Out),
      ),
    ["closing", "closing-ends", "closing-closing"],
  ],
  [
    "an unlimited window",
    () => S.stream(Events).pipe(S.window(S.unlimited({ start: 20 })), S.count("all"), S.toStream(), flat, S.to(Out)),
    ["all"],
  ],
  [
    "changes held back until their window closes",
    () =>
      S.stream(Events).pipe(
        S.window(S.tumbling(10, { grace: 5 })),
        S.aggregate("windows", sums),
        S.suppress("final", S.untilWindowCloses({ maxRecords: 100 })),
        S.toStream(),
        flat,
        S.to(Out),
      ),
    ["windows", "final", "final-due"],
  ],
  [
    "changes held back for a time, in little room",
    () =>
      S.stream(Events).pipe(
        S.aggregate("sums", sums),
        S.suppress("calm", S.untilTimeLimit(8, { maxRecords: 2, maxBytes: 60 })),
        S.filterTable(({ sum }) => sum % 2 === 1),
        S.toStream(),
        S.to(Out),
      ),
    ["sums", "calm", "calm-due"],
  ],
]
