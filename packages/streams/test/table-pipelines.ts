/** Pipelines of tables for the commit-boundary property: commit-independence.prop.test.ts. */
import { json, string } from "@millrace/schema"
import * as S from "../src/index.ts"
import type { TableState } from "../src/operators/processor-context.ts"
import { type Event, Events, flat, Other, Out, type Pipelines, Rows } from "./events.ts"

/** All that a processor is told of a row, there or not. */
const rowOf = (key: string) => (table: TableState<string, Event | null>) => {
  const { value, timestamp, headers = [] } = table.getStamped(key)
  return [value?.id ?? null, timestamp, ...headers.map((one) => Buffer.from(one.value!).toString())]
}

export const TABLE_PIPELINES: Pipelines = [
  [
    "tables and stores that keep headers",
    () => {
      const latest = S.stream(Events).pipe(S.toTable("latest", { headers: true }))
      const short = S.stream(Events).pipe(S.toTable("short", { headers: true, ttl: 8 }))
      const own = S.keyValueStore("own", { key: string, value: json<number>(), headers: true })
      const cleared = S.stream(Events).pipe(
        S.map((event) => (event.amount % 3 === 0 ? null : event)),
        S.toTable("cleared", { headers: true }),
      )
      return [
        latest.pipe(
          S.filterTable((event) => event.amount !== 4),
          S.mapTable((event) => event.amount),
          S.toStream(),
          S.processValues("headers-before", { stores: { own } }, ({ stores, forward }) => ({
            process({ key, value }) {
              const { headers } = stores.own.getStamped(key)
              stores.own.put(key, value)
              forward(value, { headers })
            },
          })),
          S.to(Out),
        ),
        short.pipe(S.suppress("calm", S.untilTimeLimit(5)), S.toStream(), S.to(Other)),
        S.stream(Events).pipe(
          S.processValues("reads", { tables: { cleared, short }, value: json<any>() }, ({ tables, forward }) => ({
            process: () => forward(["a", "b", "c"].flatMap((key) => [tables.cleared, tables.short].map(rowOf(key)))),
          })),
          S.to(Out),
        ),
      ]
    },
    ["latest", "short", "own", "calm", "cleared"],
  ],
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
  [
    "a versioned table, and a join that waits for its late rows",
    () => {
      const rows = S.table(Rows, { versioned: { history: 25 } })
      return [
        S.stream(Events).pipe(
          S.leftJoinTable("waited", rows, (event, row) => [event.id, row?.label ?? null], { grace: 8 }),
          S.to(Out),
        ),
        rows.pipe(
          S.filterTable((row) => row.label !== "x"),
          S.toStream(),
          S.to(Other),
        ),
      ]
    },
    ["rows", "waited-waiting", "waited-waits"],
  ],
  [
    "versions of a stream's values, grouped, and read as of a time",
    () => {
      const latest = S.stream(Events).pipe(S.toTable("latest", { versioned: { history: 15 } }))
      return [
        latest.pipe(
          S.keyBy((event) => event.group),
          S.count("group-sizes"),
          S.toStream(),
          S.to(Out),
        ),
        S.stream(Rows).pipe(
          S.joinTable("as-of", latest, (row, event) => [row.label, event.id]),
          S.to(Other),
        ),
      ]
    },
    ["latest", "group-sizes"],
  ],
  [
    "a processor with a versioned store",
    () => {
      const history = S.versionedStore("history", { key: string, value: json<number>(), history: 20 })
      return S.stream(Events).pipe(
        S.processValues("versions", { stores: { history }, value: json<any>() }, ({ stores, forward }) => ({
          process({ key, value, timestamp }) {
            if (value.amount === 0) stores.history.delete(key, Math.max(0, timestamp - 3))
            else stores.history.put(key, value.amount)
            forward([stores.history.get(key, timestamp - 5), [...stores.history.versions(key)].map((one) => one.value)])
          },
        })),
        S.to(Out),
      )
    },
    ["history"],
  ],
  [
    "rows with a time to live, of a table, an aggregate and a processor's store",
    () => {
      const latest = S.stream(Events).pipe(S.toTable("latest", { ttl: 12 }))
      const seen = S.keyValueStore("seen", { key: string, value: json<number>(), ttl: 9 })
      return [
        latest.pipe(
          S.mapTable((event) => event.amount),
          S.toStream(),
          S.to(Out),
        ),
        S.stream(Events).pipe(
          S.count("recent", { ttl: 7 }),
          S.toStream(),
          S.tombstones(),
          S.processValues("first", { stores: { seen }, value: json<any>() }, ({ stores, forward }) => ({
            process({ key, value }) {
              forward([value, stores.seen.get(key) ?? null, [...stores.seen.range()].length])
              stores.seen.put(key, value ?? 0)
            },
          })),
          S.to(Other),
        ),
      ]
    },
    ["latest", "latest-ttl", "recent", "recent-ttl", "seen", "seen-ttl"],
  ],
]
