/** How long a task waits for what its other partitions may bring (`max.task.idle.ms`). */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Orders = S.topic("orders", { key: string, value: json<number>() })
const Rates = S.topic("rates", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<number | null>() })

const pipeline = S.pipeline("app", () =>
  S.stream(Orders).pipe(
    S.leftJoinTable("rate", S.table(Rates), (amount, rate) => (rate === undefined ? null : amount * rate)),
    S.to(Out),
  ),
)

const order = (driver: TestDriver, amount: number, timestamp: number) =>
  driver.send(Orders, { key: "eur", value: amount, timestamp })
const results = (driver: TestDriver) => driver.read(Out).map(({ value }) => value)

test("T8: a row that comes while records wait for it is there for them, and they wait no longer than that", async () => {
  await using driver = await TestDriver.start(pipeline, { maxTaskIdleMs: 500 })
  order(driver, 10, 1_000)
  await driver.run()
  await driver.advance(499)
  expect(results(driver)).toEqual([])
  driver.send(Rates, { key: "eur", value: 2, timestamp: 900 })
  await driver.run()
  await driver.advance(500)
  expect(results(driver)).toEqual([20])
  order(driver, 20, 2_000)
  await driver.advance(500)
  expect(results(driver)).toEqual([20, 40])
})

test("T8: without it they do not wait", async () => {
  await using driver = await TestDriver.start(pipeline)
  order(driver, 10, 1_000)
  await driver.run()
  driver.send(Rates, { key: "eur", value: 2, timestamp: 900 })
  await driver.run()
  expect(results(driver)).toEqual([null])
})
