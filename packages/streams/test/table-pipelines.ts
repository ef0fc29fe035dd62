/** Pipelines of tables for the commit-boundary property: commit-independence.prop.test.ts. */
import * as S from "../src/index.ts"
import { Events, flat, Other, Out, type Pipelines, Rows } from "./events.ts"

export const TABLE_PIPELINES: Pipelines = [
  [
    "a table grouped by another key, its aggregate changed in place",
    () =>
      S.stream(Events).pipe(
        S.toTable("latest"),
        S.keyBy((event) => (event.amount === 7 ? undefined : event.group)),
        S.aggregate("by-group", {
          init: () => ({ sum: 0 }),
          add(group, event) {
            group.sum += event.amount
            return group
          },
          subtract(group, event) {
            group.sum -= event.amount
            return group
          },
        }),
        S.toStream(),
        S.to(Out),
      ),
    ["latest", "by-group"],
  ],
  [
    "two streams with one aggregate over windows",
    () =>
      S.cogroup("events-and-rows", { events: S.stream(Events), rows: S.stream(Rows) }).pipe(
        S.window(S.tumbling(20, { grace: 15 })),
        S.aggregate("cogrouped", {
          init: (): string[] => [],
          add: {
            events(told, event) {
              told.push(`${event.id}`)
              return told
            },
            rows: (told, { label }) => [...told.slice(-5), label],
          },
        }),
        S.toStream(),
        flat,
        S.to(Out),
      ),
    ["cogrouped"],
  ],
  [
    "tables from tables and from a stream",
    () => {
      const latest = S.stream(Events).pipe(S.toTable("latest"))
      const large = latest.pipe(
        S.filterTable((event) => event.amount > 4),
        S.mapTable((event) => ({ amount: event.amount }), { store: "amounts" }),
      )
      return [
        large.pipe(S.toStream(), S.to(Out)),
        S.stream(Events).pipe(
          S.leftJoinTable("with-large", large.pipe(S.mapTable((row) => row.amount + 1)), (event, row) => [
            event.id,
            row,
          ]),
          S.to(Other),
        ),
      ]
    },
    ["latest", "amounts"],
  ],
]
