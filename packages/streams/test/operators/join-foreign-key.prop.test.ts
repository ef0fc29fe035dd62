/**
 * J8: whatever happens in between, a foreign-key join ends with what its two tables say, and with subscriptions of the
 * rows that are there, and no others.
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import fc from "fast-check"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

interface Order {
  readonly customer: string | null
  readonly n: number
}

const Orders = S.topic("orders", { key: string, value: json<Order>() })
const Customers = S.topic("customers", { key: string, value: json<string>() })

const pipeline = S.pipeline("app", () => {
  const orders = S.table(Orders)
  const customers = S.table(Customers)
  const customer = (order: Order) => order.customer
  return [
    orders.pipe(S.joinForeignKey("inner", customers, customer, (order, name) => `${order.n}:${name}`)),
    orders.pipe(S.leftJoinForeignKey("left", customers, customer, (order, name) => `${order.n}:${name ?? "-"}`)),
  ]
})

const byKey = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]) => (left < right ? -1 : 1)

const order = fc.record({
  kind: fc.constant("order" as const),
  key: fc.constantFrom("o", "p", "q", "r"),
  value: fc.option(fc.record({ customer: fc.option(fc.constantFrom("a", "ab", "b")), n: fc.nat(9) }), { freq: 4 }),
  at: fc.nat(50),
})
const customer = fc.record({
  kind: fc.constant("customer" as const),
  key: fc.constantFrom("a", "ab", "b"),
  value: fc.option(fc.constantFrom("X", "Y", "Z"), { freq: 3 }),
  at: fc.nat(50),
})
const event = fc.oneof(
  { weight: 6, arbitrary: order },
  { weight: 4, arbitrary: customer },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("process" as const), records: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("commit" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), lost: fc.nat(3) }) },
)

test("J8: the results are those of the tables as they are in the end", async () => {
  const property = fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
    await using driver = await TestDriver.start(pipeline, {
      partitions: { orders: 3, customers: 2 },
      flushLimits: { memtableBytesMax: 1, memtableAgeMs: 0 },
    })
    const orders = new Map<string, Order>()
    const customers = new Map<string, string>()
    const put = <V>(rows: Map<string, V>, key: string, value: V | null) =>
      value === null ? rows.delete(key) : rows.set(key, value)
    for (const one of events) {
      if (one.kind === "order") {
        driver.send(Orders, { key: one.key, value: one.value, timestamp: one.at })
        put(orders, one.key, one.value)
      } else if (one.kind === "customer") {
        driver.send(Customers, { key: one.key, value: one.value, timestamp: one.at })
        put(customers, one.key, one.value)
      } else if (one.kind === "process") driver.process(one.records)
      else if (one.kind === "commit") await driver.commit()
      else if (one.kind === "abort") await driver.abort()
      else await driver.crash({ lostEngineWrites: one.lost })
    }
    await driver.run()
    const rows = (store: string) =>
      driver
        .rows(store)
        .map(({ key, value }) => [key, value] as const)
        .sort(byKey)
    const all = [...orders].sort(byKey)
    const nameOf = ({ customer }: Order) => (customer === null ? undefined : customers.get(customer))
    expect(rows("left")).toEqual(all.map(([key, one]) => [key, `${one.n}:${nameOf(one) ?? "-"}`]))
    const matched = all.filter(([, one]) => nameOf(one) !== undefined)
    expect(rows("inner")).toEqual(matched.map(([key, one]) => [key, `${one.n}:${nameOf(one)}`]))
    const named = all.flatMap(([key, { customer }]) => (customer === null ? [] : [`${customer} ${key}`]))
    for (const join of ["inner", "left"]) {
      const subscribers = driver.rows(`${join}-subscriptions`).map(({ key }) => `${key.foreignKey} ${key.key}`)
      const references = driver.rows(`${join}-references`).map(({ key, value }) => `${value.foreignKey} ${key}`)
      expect([subscribers.sort(), references.sort()]).toEqual([named.sort(), named])
    }
  })
  await fc.assert(property, { numRuns: 150 })
})
