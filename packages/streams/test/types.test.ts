/**
 * The face, as types: what infers and what does not compile. `npm run check` type-checks this file; at run time it only
 * shows that the pipelines can be defined.
 */
import { json, string } from "@millrace/schema"
import { Context, Effect, Schema } from "effect"
import { bufferCount, concatMap, from } from "rxjs"
import { expect, expectTypeOf, test } from "vitest"
import * as S from "../src/index.ts"

class Order extends Schema.Class<Order>("Order")({
  id: Schema.String,
  customer: Schema.String,
  amount: Schema.Number,
}) {}
class Customer extends Schema.Class<Customer>("Customer")({ id: Schema.String, tier: Schema.String }) {}
class TierRevenue extends Schema.Class<TierRevenue>("TierRevenue")({
  tier: Schema.String,
  from: Schema.Number,
  total: Schema.Number,
}) {}
class Fraud extends Context.Service<Fraud, { score(o: { amount: number }): Effect.Effect<number, "busy"> }>()(
  "Fraud",
) {}

const Orders = S.topic("orders", { key: string, value: json<Order>() })
const Customers = S.topic("customers", { key: string, value: json<Customer>() })
const Revenue = S.topic("revenue", { key: string, value: json<TierRevenue>() })

const revenue = S.pipeline("revenue", () =>
  S.stream(Orders).pipe(
    S.filter((order) => order.amount > 0),
    S.keyBy((order) => order.customer),
    S.joinTable("customer", S.table(Customers), (order, customer) => ({ ...order, tier: customer.tier })),
    S.keyBy((order) => order.tier),
    S.window(S.tumbling("1 minute", { grace: "10 seconds" })),
    S.aggregate("revenue-by-tier", { init: () => 0, add: (sum, order) => sum + order.amount }),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({
      key: key.key,
      value: new TierRevenue({ tier: key.key, from: key.start, total: value }),
    })),
    S.to(Revenue),
  ),
)

const scored = S.pipeline("scored", () => {
  const orders = S.stream(Orders).pipe(
    S.mapEffect(
      (order, { idempotencyKey }) =>
        Effect.gen(function* () {
          const fraud = yield* Fraud
          return { ...order, score: yield* fraud.score(order), idempotencyKey }
        }),
      {
        concurrency: 64,
        timeout: "2 seconds",
        retry: { times: 2, while: (error) => error === "busy" },
        onFailure: (error) => (error === "busy" ? "fail" : "skip"),
      },
    ),
  )
  return [
    orders.pipe(
      S.filter((order) => order.score < 0.5),
      S.map((order) => new TierRevenue({ tier: order.id, from: 0, total: order.score })),
      S.to(Revenue),
    ),
    S.stream(Orders).pipe(S.to(Orders)),
  ]
})

const enriched = S.stream(Orders).pipe(
  S.rx((records$) =>
    records$.pipe(
      bufferCount(100),
      concatMap((batch) => from(batch.map((record) => record.with({ ...record.value, batch: batch.length })))),
    ),
  ),
  S.filter((order) => order.batch > 1),
)

const large =
  <K, V extends { amount: number }, R>(limit: number) =>
  (s: S.Stream<K, V, R>): S.Stream<K, V, R> =>
    s.pipe(S.filter((value) => value.amount > limit))

test("pipelines infer what they carry and what they need", () => {
  const ready: S.Pipeline<never> = revenue
  const needs: S.Pipeline<Fraud> = scored
  // @ts-expect-error Fraud is missing
  const notReady: S.Pipeline<never> = scored
  expect([ready.name, needs.name, notReady.name]).toEqual(["revenue", "scored", "scored"])
  expectTypeOf(enriched.pipe(large(10))).toEqualTypeOf(enriched)
  const counted = S.stream(Orders).pipe(S.count("orders-per-key"))
  expectTypeOf(counted).toEqualTypeOf<S.Table<string, number>>()
  const shown = counted.pipe(S.toStream(), S.tombstones())
  expectTypeOf(shown).toEqualTypeOf<S.Stream<string, number | null>>()
  const windowed = S.stream(Orders).pipe(S.window(S.tumbling("1 hour")), S.count("per-hour"))
  expectTypeOf(windowed).toEqualTypeOf<S.Table<S.Windowed<string>, number>>()
})

test("A8: reducePerCommit keeps the type of what it puts together", () => {
  const revenues = S.stream(Revenue).pipe(
    S.reducePerCommit((left, right) => new TierRevenue({ ...right, total: left.total + right.total })),
  )
  expectTypeOf(revenues).toEqualTypeOf<S.Stream<string, TierRevenue>>()
  const windowed = S.stream(Orders).pipe(S.window(S.tumbling("1 hour")), S.count("n"), S.toStream())
  expectTypeOf(windowed.pipe(S.reducePerCommit((_, last) => last))).toEqualTypeOf(windowed)
  // @ts-expect-error a number is no order
  S.stream(Orders).pipe(S.reducePerCommit((left, right) => left.amount + right.amount))
  const orders = S.table(Orders)
  // @ts-expect-error a table's changes are a stream first
  expect(() => orders.pipe(S.reducePerCommit((_: Order, last: Order) => last))).toThrow("takes a stream, got a table")
})

test("tables of tables, several topics and sinks infer", () => {
  const large = S.table(Orders).pipe(
    S.filterTable((order, key) => order.amount > key.length),
    S.mapTable((order) => order.customer, { store: "customers-of", value: string }),
  )
  expectTypeOf(large).toEqualTypeOf<S.Table<string, string>>()
  const either = S.stream([Orders, Customers])
  expectTypeOf(either).toEqualTypeOf<S.Stream<string, Order | Customer>>()
  const merged = S.stream(Orders).pipe(S.merge(S.stream(Customers), S.stream(Revenue)))
  expectTypeOf(merged).toEqualTypeOf<S.Stream<string, Order | Customer | TierRevenue>>()
  const spread = S.stream(Orders).pipe(
    S.tap((order) => order.amount),
    S.repartition("spread", {
      partitions: 3,
      partitioner: (key, order, count) => (order?.amount ?? key.length) % count,
    }),
    S.flatMapRecord(({ key, value }) => [{ key: key.length, value: value.amount }]),
  )
  expectTypeOf(spread).toEqualTypeOf<S.Stream<number, number>>()
  expectTypeOf(spread.pipe(S.toTable("latest"))).toEqualTypeOf<S.Table<number, number>>()
  expectTypeOf(spread.pipe(S.forEach((amount, { key }) => void (amount + key)))).toEqualTypeOf<S.Sink<never>>()
  // @ts-expect-error another type of key
  S.stream(Orders).pipe(S.merge(spread))
  // @ts-expect-error tables have their own filter
  expect(() => S.table(Orders).pipe(S.filter((order: Order) => order.amount > 1))).toThrow("filter takes a stream")
})

test("joins of tables infer both sides, and which of them may be missing", () => {
  const byKey = S.table(Orders).pipe(
    S.joinTables("both", S.table(Customers), (order, customer, key) => `${order.id}:${customer.tier}:${key.length}`, {
      store: "both-rows",
      value: string,
    }),
  )
  expectTypeOf(byKey).toEqualTypeOf<S.Table<string, string>>()
  const left = S.table(Orders).pipe(
    S.leftJoinTables("left", S.table(Customers), (order, customer) => {
      // @ts-expect-error the right side may have no row
      void (() => customer.tier)
      return { amount: order.amount, tier: customer?.tier }
    }),
  )
  expectTypeOf(left).toEqualTypeOf<S.Table<string, { amount: number; tier: string | undefined }>>()
  const outer = S.table(Orders).pipe(
    S.outerJoinTables("outer", S.table(Customers), (order, customer) => order?.amount ?? customer?.tier ?? null),
  )
  expectTypeOf(outer).toEqualTypeOf<S.Table<string, string | number | null>>()
  const counted = S.stream(Orders).pipe(
    S.keyBy((order) => order.amount),
    S.count("per-amount"),
  )
  // @ts-expect-error another type of key
  expect(() => S.table(Orders).pipe(S.joinTables("j", counted, (order: Order) => order))).toThrow("canonical-key")
})

test("joins by foreign key infer both rows, and the key that names the right one", () => {
  const named = S.table(Orders).pipe(
    S.joinForeignKey(
      "named",
      S.table(Customers),
      (order, key) => (key === "" ? null : order.customer),
      (order, customer, key) => ({ amount: order.amount, tier: customer.tier, key }),
    ),
  )
  expectTypeOf(named).toEqualTypeOf<S.Table<string, { amount: number; tier: string; key: string }>>()
  const perTier = S.stream(Customers).pipe(
    S.keyBy((customer) => customer.tier.length),
    S.count("per-tier"),
  )
  const left = S.table(Orders).pipe(
    S.leftJoinForeignKey(
      "left",
      perTier,
      (order) => order.amount,
      (_, count) => count,
      { partitioner: (amount, partitions) => amount % partitions },
    ),
  )
  expectTypeOf(left).toEqualTypeOf<S.Table<string, number | undefined>>()
  const join = S.joinForeignKey(
    "j",
    perTier,
    // @ts-expect-error a name is no key of a table by number
    (order: Order): string => order.customer,
    (order: Order) => order.id,
  )
  expect(join).toBeTypeOf("function")
})

test("processors infer records, stores and what they forward", () => {
  const Totals = S.keyValueStore("totals", { key: string, value: json<number>() })
  const processed = S.stream(Orders).pipe(
    S.process(
      "totals-of",
      { stores: { totals: Totals }, timers: true, value: json<{ total: number }>() },
      (context) => ({
        process({ key, value, timestamp }) {
          const total = (context.stores.totals.get(key) ?? 0) + value.amount
          context.stores.totals.put(key, total)
          context.timers.set(key, timestamp)
          context.forward({ key, value: { total } })
          // @ts-expect-error the store holds numbers
          context.stores.totals.put(key, "much")
          // @ts-expect-error what is forwarded is what the serde writes
          context.forward({ key, value: { total: "much" } })
          // @ts-expect-error no such store
          void context.stores.others
        },
        onTimer: (key, time) => void (key.length + time),
      }),
    ),
  )
  expectTypeOf(processed).toEqualTypeOf<S.Stream<string, { total: number }>>()
  const values = S.stream(Orders).pipe(
    S.processValues("kept", {}, ({ forward }) => ({ process: ({ value }) => forward(value) })),
  )
  expectTypeOf(values).toEqualTypeOf<S.Stream<string, Order>>()
  const enrichedBy = S.stream(Orders).pipe(
    S.processValues("enriched-by", { tables: { customers: S.table(Customers) }, value: string }, (context) => ({
      process({ key }) {
        context.forward(context.tables.customers.get(key)?.tier ?? "none")
        // @ts-expect-error no such field in the row
        void context.tables.customers.get(key)?.price
      },
    })),
  )
  expectTypeOf(enrichedBy).toEqualTypeOf<S.Stream<string, string>>()
  const keyed = S.stream(Orders).pipe(
    S.process("keyed", { key: json<number>() }, ({ forward }) => ({
      process: ({ value }) => forward({ key: value.amount, value }),
    })),
  )
  expectTypeOf(keyed).toEqualTypeOf<S.Stream<number, Order>>()
})

test("guarded operators infer as they do alone", () => {
  const parsed = S.stream(Orders).pipe(
    S.guard(
      { deadLetter: "letters" },
      S.map((order) => order.amount),
    ),
    S.guard(
      ({ error }) => (error.site.offset > 0 ? "skip" : "fail"),
      S.filter((amount) => amount > 1),
    ),
  )
  expectTypeOf(parsed).toEqualTypeOf<S.Stream<string, number>>()
})

test("D13: a key that has no canonical bytes needs its serde", () => {
  const byObject = S.stream(Orders).pipe(
    S.keyBy((order) => ({ customer: order.customer }), { key: json<{ customer: string }>() }),
  )
  expectTypeOf(byObject).toEqualTypeOf<S.Stream<{ customer: string }, Order>>()
  const byTuple = S.stream(Orders).pipe(S.keyBy((order) => [order.customer, order.amount] as const))
  expectTypeOf(byTuple).toEqualTypeOf<S.Stream<readonly [string, number], Order>>()
  expectTypeOf(S.stream(Orders).pipe(S.keyBy((order): string | undefined => order.customer))).toEqualTypeOf<
    S.Stream<string | undefined, Order>
  >()
  // @ts-expect-error no canonical bytes, no serde
  S.stream(Orders).pipe(S.keyBy((order) => ({ customer: order.customer })))
  // @ts-expect-error dates have none either
  S.stream(Orders).pipe(S.keyBy((order) => new Date(order.amount), {}))
})

test("chosen topics, patterns and times from the value infer", () => {
  const byTier = S.stream(Orders, { timestamp: (order, { key }) => order.amount + key.length }).pipe(
    S.to((key, order, { timestamp }) => `orders-${order?.customer ?? key}-${timestamp}`, {
      key: string,
      value: json<Order>(),
    }),
  )
  expectTypeOf(byTier).toEqualTypeOf<S.Sink<never>>()
  const all = S.stream(S.topicPattern(/orders-.*/, { key: string, value: json<Order>() }), {
    onInvalidTimestamp: "partition-time",
  })
  expectTypeOf(all).toEqualTypeOf<S.Stream<string, Order>>()
  // @ts-expect-error the stream holds something else
  S.stream(Customers).pipe(S.to(() => "orders", { key: string, value: json<Order>() }))
  // @ts-expect-error no such policy
  S.stream(Orders, { onInvalidTimestamp: "ignore" })
  const live = S.stream(Orders, { idleAfter: "30 seconds", whenIdle: "wall-clock" })
  expectTypeOf(live).toEqualTypeOf<S.Stream<string, Order>>()
  expectTypeOf(S.table(Orders, { idleAfter: 30_000 })).toEqualTypeOf<S.Table<string, Order>>()
  // @ts-expect-error no such policy
  expect(() => S.stream(Orders, { whenIdle: "wait" })).toThrow(/whenIdle/)
  // @ts-expect-error no such unit of time
  expect(() => S.stream(Orders, { idleAfter: "1 fortnight" })).toThrow(/not a duration/)
})

test("what is wrong does not compile", () => {
  // @ts-expect-error no such unit of time
  expect(() => S.tumbling("1 fortnight")).toThrow(/not a duration/)
  // @ts-expect-error no such field
  S.stream(Orders).pipe(S.filter((order) => order.price > 0))
  // @ts-expect-error the topic holds another type
  S.stream(Orders).pipe(S.to(Revenue))
  // @ts-expect-error a timeout is mandatory
  expect(() => S.stream(Orders).pipe(S.mapEffect(() => Effect.void, { concurrency: 1 }))).toThrow(/timeout/)
  // @ts-expect-error a join needs a name first
  expect(() => S.stream(Orders).pipe(S.joinTable(S.table(Customers), (order) => order))).toThrow()
  // @ts-expect-error tables are not written: toStream comes first
  expect(() => S.table(Customers).pipe(S.to(Customers))).toThrow("to takes a stream, got a table")
  // @ts-expect-error a stream is no end
  expect(() => S.pipeline("p", () => S.stream(Orders))).toThrow('pipeline "p" takes a sink or a table, got a stream')
})

test("joins of streams and sessions infer", () => {
  const orders = S.stream(Orders)
  const customers = S.stream(Customers)
  const window = { within: "5 minutes" } as const
  const inner = orders.pipe(
    S.joinStream("i", customers, window, (order, customer) => order.amount + customer.tier.length),
  )
  expectTypeOf(inner).toEqualTypeOf<S.Stream<string, number>>()
  const left = orders.pipe(S.leftJoinStream("l", customers, window, (order, customer) => [order.id, customer?.tier]))
  expectTypeOf(left).toEqualTypeOf<S.Stream<string, (string | undefined)[]>>()
  // @ts-expect-error the right side may be missing
  orders.pipe(S.leftJoinStream("m", customers, window, (_, customer) => customer.tier))
  // @ts-expect-error the left side may be missing
  orders.pipe(S.outerJoinStream("o", customers, window, (order) => order.id))
  // @ts-expect-error the keys differ
  orders.pipe(S.joinStream("k", customers.pipe(S.keyBy((customer) => customer.tier.length)), window, () => 0))
  const sessions = orders.pipe(S.window(S.session("5 minutes")))
  expectTypeOf(sessions.pipe(S.count("n"))).toEqualTypeOf<S.Table<S.Windowed<string>, number>>()
  // @ts-expect-error an aggregate of sessions must say how two of them merge
  expect(() => sessions.pipe(S.aggregate("s", { init: () => 0, add: (sum) => sum + 1 }))).toThrow("needs merge")
})

test("sliding and unlimited windows infer as others do; suppress keeps what it is given", () => {
  const sliding = S.stream(Orders).pipe(S.window(S.sliding("5 minutes", { emit: "on-window-close" })), S.count("n"))
  expectTypeOf(sliding).toEqualTypeOf<S.Table<S.Windowed<string>, number>>()
  const final = sliding.pipe(S.suppress("final", S.untilWindowCloses({ maxRecords: 10 })))
  expectTypeOf(final).toEqualTypeOf<S.Table<S.Windowed<string>, number>>()
  const unlimited = S.stream(Orders).pipe(
    S.window(S.unlimited()),
    S.reduce("last", (_, order) => order),
  )
  expectTypeOf(unlimited).toEqualTypeOf<S.Table<S.Windowed<string>, Order>>()
  const calm = S.table(Orders).pipe(S.suppress("calm", S.untilTimeLimit("1 minute", { whenFull: "shut-down" })))
  expectTypeOf(calm).toEqualTypeOf<S.Table<string, Order>>()
  // @ts-expect-error an unlimited window never closes
  S.unlimited({ emit: "on-window-close" })
  // @ts-expect-error no such way to emit
  expect(() => S.tumbling(10, { emit: "sometimes" })).toThrow("on-window-close")
})

test("operators with a memory per key infer", () => {
  const orders = S.stream(Orders)
  const sums = orders.pipe(
    S.scan(
      "sums",
      (sum, order, key) => sum + order.amount + key.length,
      () => 0,
    ),
  )
  expectTypeOf(sums).toEqualTypeOf<S.Stream<string, number>>()
  expectTypeOf(orders.pipe(S.pairwise("pairs"))).toEqualTypeOf<S.Stream<string, readonly [Order, Order]>>()
  expectTypeOf(orders.pipe(S.bufferCount("some", 10))).toEqualTypeOf<S.Stream<string, readonly Order[]>>()
  expectTypeOf(orders.pipe(S.bufferTime("timed", "1 minute"))).toEqualTypeOf<S.Stream<string, readonly Order[]>>()
  const calm = orders.pipe(
    S.distinctUntilChanged("changed", (order) => order.amount),
    S.debounceTime("silent", "1 minute"),
    S.throttleTime("throttled", "1 minute"),
    S.auditTime("audited", "1 minute"),
  )
  expectTypeOf(calm).toEqualTypeOf<S.Stream<string, Order>>()
})

test("A3: a table by another key is grouped; its aggregates ask for subtract", () => {
  const grouped = S.table(Customers).pipe(S.keyBy((customer, key) => [customer.tier, key.length] as const))
  expectTypeOf(grouped).toEqualTypeOf<S.GroupedTable<readonly [string, number], Customer>>()
  expectTypeOf(grouped.pipe(S.count("n"))).toEqualTypeOf<S.Table<readonly [string, number], number>>()
  const names = grouped.pipe(
    S.aggregate("names", {
      init: (): string[] => [],
      add: (names, { id }) => [...names, id],
      subtract: (names, { id }, [tier]) => names.filter((name) => name !== id && name !== tier),
    }),
  )
  expectTypeOf(names).toEqualTypeOf<S.Table<readonly [string, number], string[]>>()
  const least = grouped.pipe(S.reduce("least", (left) => left, { subtract: (left, right) => left ?? right }))
  expectTypeOf(least).toEqualTypeOf<S.Table<readonly [string, number], Customer>>()
  const byObject = S.table(Customers).pipe(S.keyBy(({ tier }) => ({ tier }), { key: json<{ tier: string }>() }))
  expectTypeOf(byObject).toEqualTypeOf<S.GroupedTable<{ tier: string }, Customer>>()
  // @ts-expect-error no canonical bytes, no serde
  S.table(Customers).pipe(S.keyBy(({ tier }) => ({ tier })))
  // @ts-expect-error a grouped table is no table
  expect(() => grouped.pipe(S.toStream())).toThrow("toStream takes a table, got a grouped table")
})

test("A6: a cogroup infers what each of its streams adds", () => {
  const orders = S.stream(Orders)
  const customers = S.stream(Customers)
  const both = S.cogroup("both", { orders, customers })
  const told = both.pipe(
    S.aggregate("told", {
      init: (): string[] => [],
      add: {
        orders: (told, order, key) => [...told, order.customer, key],
        customers: (told, { tier }) => [...told, tier],
      },
    }),
  )
  expectTypeOf(told).toEqualTypeOf<S.Table<string, string[]>>()
  const perHour = both.pipe(
    S.window(S.tumbling("1 hour")),
    S.aggregate("per-hour", {
      init: () => 0,
      add: { orders: (sum, { amount }) => sum + amount, customers: (sum, _, { start }) => sum + start },
    }),
  )
  expectTypeOf(perHour).toEqualTypeOf<S.Table<S.Windowed<string>, number>>()
  const sessions = both.pipe(S.window(S.session("1 hour")))
  const merged = sessions.pipe(
    S.aggregate("sessions", {
      init: () => 0,
      add: { orders: (sum) => sum + 1, customers: (sum) => sum },
      merge: (left, right) => left + right,
    }),
  )
  expectTypeOf(merged).toEqualTypeOf<S.Table<S.Windowed<string>, number>>()
  const scoring = orders.pipe(
    S.mapEffect(
      (order) =>
        Effect.gen(function* () {
          return (yield* (yield* Fraud).score(order)) > 0
        }),
      { concurrency: 1, timeout: "1 second" },
    ),
  )
  const needy = S.cogroup("needy", { scoring, orders }).pipe(S.count("n"))
  expectTypeOf(needy).toEqualTypeOf<S.Table<string, number, Fraud>>()
  const one = (sum: number) => sum + 1
  // @ts-expect-error one of the streams is missing
  expect(() => both.pipe(S.aggregate("some", { init: () => 0, add: { orders: one } }))).toThrow("for each stream")
  // @ts-expect-error the keys differ
  S.cogroup("keys", { orders, lengths: customers.pipe(S.keyBy(({ tier }) => tier.length)) })
})

test("S2 J10: versioned tables and stores infer", () => {
  const versioned = { versioned: { history: "1 hour" } } as const
  const customers = S.table(Customers, versioned)
  expectTypeOf(customers).toEqualTypeOf<S.Table<string, Customer>>()
  const tiers = S.stream(Orders).pipe(
    S.joinTable("tiers", customers, (order, { tier }) => `${order.id}${tier}`, { grace: "1 minute" }),
  )
  expectTypeOf(tiers).toEqualTypeOf<S.Stream<string, string>>()
  expectTypeOf(tiers.pipe(S.toTable("latest", versioned))).toEqualTypeOf<S.Table<string, string>>()
  const History = S.versionedStore("history", { key: string, value: json<number>(), history: "1 day" })
  S.stream(Orders).pipe(
    S.processValues("past", { stores: { history: History } }, ({ stores }) => ({
      process({ key, value, timestamp }) {
        const before: number = stores.history.get(key, timestamp - 1) ?? 0
        const validTo: number | undefined = stores.history.put(key, before + value.amount)
        expectTypeOf(validTo).toEqualTypeOf<number | undefined>()
        // @ts-expect-error the store holds numbers
        stores.history.put(key, "much")
      },
    })),
  )
  // @ts-expect-error a versioned store says how long its history is
  expect(() => S.versionedStore("none", { key: string })).toThrow('store "none" history')
})

test("ttl: tables, aggregates and stores of processors take one", () => {
  const ttl = { ttl: "1 day" } as const
  expectTypeOf(S.table(Customers, ttl)).toEqualTypeOf<S.Table<string, Customer>>()
  const orders = S.stream(Orders)
  expectTypeOf(orders.pipe(S.toTable("latest", ttl))).toEqualTypeOf<S.Table<string, Order>>()
  expectTypeOf(orders.pipe(S.count("n", ttl))).toEqualTypeOf<S.Table<string, number>>()
  expectTypeOf(orders.pipe(S.reduce("last", (_, order) => order, ttl))).toEqualTypeOf<S.Table<string, Order>>()
  const total = orders.pipe(S.aggregate("total", { init: () => 0, add: (sum, { amount }) => sum + amount, ...ttl }))
  expectTypeOf(total).toEqualTypeOf<S.Table<string, number>>()
  expectTypeOf(S.keyValueStore("seen", { key: string, value: string, ...ttl })).toEqualTypeOf<
    S.StoreDefinition<S.KeyValueState<string, string>>
  >()
})
