import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { expect, test } from "vitest"
import { COMMIT_STEPS, FAULT_KINDS, TestDriver } from "../src/index.ts"

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

test.each(COMMIT_STEPS.flatMap((step) => FAULT_KINDS.map((kind) => [step, kind] as const)))(
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

const Temperatures = S.topic("temperatures", { key: string, value: json<number>() })
const Letters = "letters"

test("K2: wall-clock time passes when the test says so", async () => {
  const ticking = S.pipeline("ticking", () =>
    S.stream(Temperatures).pipe(
      S.process("tick", { value: json<number>() }, (context) => {
        context.schedule("1 minute", "wall-clock", (time) => context.forward({ key: "tick", value: time }))
        return { process: () => {} }
      }),
      S.to(S.topic("ticks", { key: string, value: json<number>() })),
    ),
  )
  await using driver = await TestDriver.start(ticking)
  const ticks = () => driver.cluster.logs("ticks")[0]!.committed(0).length
  await driver.advance(59_999)
  expect(ticks()).toBe(0)
  await driver.advance(1)
  expect(ticks()).toBe(1)
})

test("K3 Q1: committed rows are queried as in a run", async () => {
  const latest = S.table(Temperatures)
  const pipeline = S.pipeline("latest", () => [latest.pipe(S.toStream(), S.to(S.topic("copies", Temperatures)))])
  await using driver = await TestDriver.start(pipeline, { partitions: 2 })
  driver.send(Temperatures, { key: "oslo", value: 3, timestamp: 1 })
  driver.process()
  const found = (name: string) =>
    [...driver.query(name, { kind: "range" }).partitions.values()].flatMap((one) => (one.ok ? one.result.rows : []))
  expect(found("temperatures")).toEqual([])
  await driver.commit()
  expect(found("temperatures")).toEqual([{ key: "oslo", value: 3, timestamp: 1 }])
  expect(() => driver.query("none", { kind: "range" })).toThrow(/no store "none"/)
})

test("F5 O6: figures of the worker, and dead letters with what went wrong", async () => {
  const pipeline = S.pipeline(
    "checked",
    () =>
      S.stream(Temperatures).pipe(
        S.map((celsius) => {
          if (celsius < -273) throw new RangeError(`${celsius} is too cold`)
          return celsius
        }),
        S.to(S.topic("copies", Temperatures)),
      ),
    { onProcessingFailure: { deadLetter: Letters } },
  )
  await using driver = await TestDriver.start(pipeline, { partitions: { [Letters]: 1 } })
  driver.send(
    Temperatures,
    { key: "oslo", value: 3, timestamp: 1 },
    { key: "void", value: -300, timestamp: 2 },
    { key: null as never, value: 4, timestamp: 3 },
  )
  await driver.run()
  const [letter] = driver.deadLetters(Letters)
  expect(letter).toMatchObject({
    timestamp: 2,
    error: { name: "RangeError", message: "-300 is too cold" },
    topic: "temperatures",
    partition: 0,
    offset: 1,
    operator: "map-1",
  })
  expect(String(Buffer.from(letter!.value!))).toBe("-300")
  expect(driver.deadLetters(S.topic(Letters, Temperatures))).toEqual([letter])
  expect(driver.metrics).toMatchObject({ processed: 3, emitted: 3, transactions: { committed: 1, aborted: 0 } })
  expect(driver.metrics.perTask.map(({ task }) => task)).toEqual(["0_0"])
})
