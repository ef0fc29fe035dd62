/** Pipelines of commit-independence.prop.test.ts that join. */
import { Effect } from "effect"
import { filter as rxFilter, map as rxMap } from "rxjs"
import * as S from "../src/index.ts"
import { type Event, Events, Other, Out, type Pipelines, Rows } from "./events.ts"

export const JOIN_PIPELINES: Pipelines = [
  [
    "joins of two tables, as a view and kept",
    () => {
      const latest = S.stream(Events).pipe(
        S.toTable("latest"),
        S.filterTable((event) => event.amount > 2),
      )
      const rows = S.table(Rows)
      const either = latest.pipe(
        S.outerJoinTables("either", rows, (event, row) => ({ id: event?.id ?? null, label: row?.label ?? null })),
        S.filterTable(({ label }) => label !== "x"),
      )
      const both = S.joinTables("both", rows, (event: Event, row) => [event.amount, row.label], { store: "both-rows" })
      return [either.pipe(S.toStream(), S.to(Out)), latest.pipe(both, S.toStream(), S.to(Other))]
    },
    ["latest", "both-rows"],
  ],
  [
    "foreign-key joins, which are joined",
    () => {
      const orders = S.stream(Events).pipe(
        S.toTable("orders"),
        S.filterTable((event) => event.amount > 1),
      )
      const group = (event: Event) => (event.amount > 7 ? null : event.group)
      const rows = S.table(Rows)
      const inner = orders.pipe(S.joinForeignKey("inner", rows, group, (event, row) => [event.amount, row.label]))
      return orders.pipe(
        S.leftJoinForeignKey("left", rows, group, (event, row) => [event.amount, row?.label ?? null]),
        S.outerJoinTables("both", inner, (left, right) => [left ?? null, right ?? null], { store: "both-rows" }),
        S.toStream(),
        S.to(Out),
      )
    },
    ["inner", "inner-references", "inner-subscriptions", "left", "both-rows"],
  ],
  [
    "a join with a table",
    () =>
      S.stream(Events).pipe(
        S.joinTable("rows-join", S.table(Rows), (event, row) => ({ id: event.id, label: row.label })),
        S.to(Out),
      ),
    ["rows"],
  ],
  [
    "a left join after a repartition, and the table's own changes",
    () => {
      const rows = S.table(Rows)
      return [
        S.stream(Events).pipe(
          S.keyBy((event) => event.group),
          S.leftJoinTable("by-group", rows, (event, row) => ({ id: event.id, label: row?.label ?? null })),
          S.to(Out),
        ),
        rows.pipe(S.toStream(), S.to(Other)),
      ]
    },
    ["rows"],
  ],
  [
    "an outer join of a stream with some of itself",
    () =>
      S.stream(Events).pipe(
        S.outerJoinStream(
          "pairs",
          S.stream(Events).pipe(S.filter((event) => event.amount > 2)),
          { before: 3, after: 6, grace: 4 },
          (left, right) => ({ left: left?.id ?? null, right: right?.id ?? null }),
        ),
        S.to(Out),
      ),
    ["pairs-left", "pairs-right", "pairs-unmatched"],
  ],
  [
    "rx, then a join",
    () =>
      S.stream(Events).pipe(
        S.rx((records$) =>
          records$.pipe(
            rxFilter((record) => record.value.amount > 2),
            rxMap((record) => record.with(record.value.amount)),
          ),
        ),
        S.joinTable("rx-join", S.table(Rows), (amount, row) => ({ amount, label: row.label })),
        S.to(Out),
      ),
    ["rows"],
  ],
  [
    "effects of different length, then a join",
    () =>
      S.stream(Events).pipe(
        S.mapEffect((event) => Effect.as(Effect.sleep((event.amount * 7) % 11), event.amount), {
          name: "slow",
          concurrency: 3,
          timeout: 1_000,
          serialBy: "key",
        }),
        S.leftJoinTable("effect-join", S.table(Rows), (amount, row) => ({ amount, label: row?.label ?? null })),
        S.to(Out),
      ),
    ["rows"],
  ],
]

const FOREIGN = "foreign-key joins, which are joined"

/**
 * Where a repartitioned stream meets a table, which row is there first depends on when the upstream transaction committed,
 * as in Kafka Streams: of those only the state is compared.
 */
export const MEETS: ReadonlySet<string> = new Set([
  "a left join after a repartition, and the table's own changes",
  "rx, then a join",
  FOREIGN,
])

/** A left row joined with nothing has its own time, or that of the deletion which it met: whichever was first. */
export const UNTIMED: ReadonlySet<string> = new Set([FOREIGN])
