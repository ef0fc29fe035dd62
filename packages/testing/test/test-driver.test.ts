import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { expect, test } from "vitest"
import { COMMIT_STEPS, TestDriver } from "../src/index.ts"

const Orders = S.topic("orders", { key: string, value: json<{ customer: string; amount: number }>() })
const Customers = S.topic("customers", { key: string, value: json<{ tier: string }>() })
const Revenue = S.topic("revenue", { key: string, value: json<{ from: number; total: number }>() })

const revenue = S.pipeline("revenue", () =>
  S.stream(Orders).pipe(
    S.filter((order) => order.amount > 0),
    S.keyBy((order) => order.customer),
    S.joinTable("customer", S.table(Customers), (order, customer) => ({ ...order, tier: customer.tier })),
    S.keyBy((order) => order.tier),
    S.window(S.tumbling("1 minute", { grace: "10 seconds" })),
    S.aggregate("revenue-by-tier", { init: () => 0, add: (sum, order) => sum + order.amount }),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({ key: key.key, value: { from: key.start, total: value } })),
    S.to(Revenue),
  ),
)

test("K1 K5: the design's example runs through two repartitions", async () => {
  await using driver = await TestDriver.start(revenue, { partitions: 3 })
  driver.send(
    Customers,
    { key: "ann", value: { tier: "gold" }, timestamp: 0 },
    { key: "bob", value: { tier: "tin" }, timestamp: 0 },
  )
  driver.send(
    Orders,
    { key: "1", value: { customer: "ann", amount: 5 }, timestamp: 1_000 },
    { key: "2", value: { customer: "bob", amount: 7 }, timestamp: 2_000 },
    { key: "3", value: { customer: "ann", amount: 10 }, timestamp: 61_000 },
    { key: "4", value: { customer: "ann", amount: -1 }, timestamp: 62_000 },
    { key: "5", value: { customer: "zoe", amount: 1 }, timestamp: 62_000 },
  )
  await driver.run()
  const rows = driver.read(Revenue).map(({ key, value, timestamp }) => [key, value?.from, value?.total, timestamp])
  expect(rows.sort()).toEqual([
    ["gold", 0, 5, 1_000],
    ["gold", 60_000, 10, 61_000],
    ["tin", 0, 7, 2_000],
  ])
})

test.each(COMMIT_STEPS.flatMap((step) => [[step, "crash"] as const, [step, "fail"] as const]))(
  "E4 E7 K3 S8: a worker that meets a fault at %s (%s) leaves the output as it would be",
  async (step, kind) => {
    await using driver = await TestDriver.start(revenue)
    driver.send(Customers, { key: "ann", value: { tier: "gold" }, timestamp: 0 })
    for (let id = 0; id < 6; id++) {
      driver.send(Orders, { key: `${id}`, value: { customer: "ann", amount: 1 }, timestamp: id })
      if (id === 2) await driver.run()
      driver.failAt(step, kind)
      driver.process()
      await driver.commit()
    }
    await driver.run()
    expect(driver.read(Revenue).map(({ value }) => value?.total)).toEqual([1, 2, 3, 4, 5, 6])
    expect(driver.rows("revenue-by-tier").map(({ value }) => value)).toEqual([6])
  },
)
