/** Late records on the side: who writes which, and what its headers say. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Other = S.topic("other", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const Late = S.topic("late", { key: string, value: json<number>() })

const lateTo = "late"

async function started(build: () => S.Sink<never>) {
  return await TestDriver.start(S.pipeline("app", build))
}

const late = (driver: TestDriver) =>
  driver.read(Late).map(({ key, value, timestamp, headers }) => ({
    record: [key, value, timestamp],
    headers: Object.fromEntries(headers.map(({ key, value }) => [key, Buffer.from(value!).toString()])),
  }))

const counted = (windows: S.TimeWindows | S.SlidingWindows | S.SessionWindows) => () =>
  S.stream(In).pipe(
    S.map((value) => value * 1_000),
    S.window(windows as S.SessionWindows),
    S.count("n"),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({ key: key.key, value })),
    S.to(Out),
  )

const WINDOWS = [
  ["tumbling", S.tumbling(10, { grace: 5, lateTo }), 85, 5],
  ["sliding", S.sliding(10, { grace: 5, lateTo }), 84, 1],
  ["session", S.session(10, { grace: 5, lateTo }), 83, 2],
] as const

test.each(WINDOWS)("a late record of %s windows is written as it was read, with where and how late", async (...row) => {
  const [, windows, at, ms] = row
  await using driver = await started(counted(windows))
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  driver.send(In, { key: "b", value: 2, timestamp: at, headers: [{ key: "trace", value: Buffer.from("7") }] })
  await driver.run()
  expect(late(driver)).toEqual([
    {
      record: ["b", 2, at],
      headers: {
        trace: "7",
        "millrace.late.operator": "n",
        "millrace.late.ms": String(ms),
        "millrace.late.topic": "in",
        "millrace.late.partition": "0",
        "millrace.late.offset": "1",
      },
    },
  ])
  expect(driver.dropped.late).toBe(1)
})

test("a record that is late for two of its windows is written once", async () => {
  await using driver = await started(counted(S.hopping(30, { advance: 10, lateTo })))
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  driver.send(In, { key: "b", value: 2, timestamp: 75 })
  await driver.run()
  expect(late(driver).map(({ record, headers }) => [...record, headers["millrace.late.ms"]])).toEqual([
    ["b", 2, 75, "20"],
  ])
  expect(driver.dropped.late).toBe(3)
})

test("a record that a join can neither match nor keep is late; one that finds a match is not", async () => {
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.joinStream("j", S.stream(Other), { within: 10, grace: 5, lateTo }, (left, right) => [left, right]),
      S.to(Out),
    ),
  )
  driver.send(Other, { key: "a", value: 1, timestamp: 90 })
  driver.send(In, { key: "z", value: 0, timestamp: 100 })
  driver.send(In, { key: "a", value: 2, timestamp: 84 })
  driver.send(In, { key: "b", value: 3, timestamp: 84 })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([[2, 1]])
  expect(late(driver).map(({ record, headers }) => [...record, headers["millrace.late.ms"]])).toEqual([
    ["b", 3, 84, "1"],
  ])
})

test("an abort takes late records back", async () => {
  await using driver = await started(counted(S.tumbling(10, { lateTo })))
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  driver.send(In, { key: "b", value: 2, timestamp: 5 })
  driver.process()
  await driver.abort()
  expect(late(driver)).toEqual([])
  await driver.run()
  expect(late(driver)).toHaveLength(1)
})

test("a late topic has a topic's name", () => {
  expect(() => S.tumbling(10, { lateTo: "no name" })).toThrow("no name")
})
