/**
 * aggregate, count, reduce and their windows, row by row (reference 1.3 and 1.4).
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Sent = readonly [key: string | null, value: number | null, timestamp: number]
type Row = readonly [key: string, value: any, timestamp: number]

async function outputs(build: () => S.Sink<never>, input: readonly Sent[]) {
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const [key, value, timestamp] of input) driver.send(In, { key: key as string, value, timestamp })
  await driver.run()
  return { driver, rows: driver.read(Out).map(({ key, value, timestamp }): Row => [key, value, timestamp]) }
}

const sum = { init: () => 0, add: (total: number, value: number) => total + value }

test("A2 A8 T10: every update is emitted, with the greatest timestamp so far", async () => {
  const { rows } = await outputs(
    () => S.stream(In).pipe(S.aggregate("sum", sum), S.toStream(), S.to(Out)),
    [
      ["a", 1, 10],
      ["a", 2, 5],
      ["b", 3, 1],
      ["a", 4, 20],
    ],
  )
  expect(rows).toEqual([
    ["a", 1, 10],
    ["a", 3, 10],
    ["b", 3, 1],
    ["a", 7, 20],
  ])
})

test("A2 A4: a callback may change the value that it is given, and return it", async () => {
  interface Item {
    name: string
    amount: number
  }
  const Items = S.topic("items", { key: string, value: json<Item>() })
  const add = (total: Item, item: Item): Item => Object.assign(item, { amount: total.amount + item.amount })
  for (const build of [
    () => S.stream(Items).pipe(S.reduce("totals", add), S.toStream(), S.to(Out)),
    () =>
      S.stream(Items).pipe(
        S.keyBy(({ name }) => name),
        S.reduce("totals", add),
        S.toStream(),
        S.to(Out),
      ),
  ]) {
    const driver = await TestDriver.start(S.pipeline("app", build))
    for (const amounts of [[1, 2], [4], [8, 16]]) {
      for (const amount of amounts) driver.send(Items, { key: "a", value: { name: "a", amount } })
      await driver.run()
    }
    expect(driver.read(Out).map(({ value }) => value.amount)).toEqual([1, 3, 7, 15, 31])
  }
})

test("A2: records without key or value are dropped and counted", async () => {
  const { driver, rows } = await outputs(
    () => S.stream(In).pipe(S.count("n"), S.toStream(), S.to(Out)),
    [
      [null, 1, 1],
      ["a", null, 2],
      ["a", 1, 3],
    ],
  )
  expect(rows).toEqual([["a", 1, 3]])
  expect(driver.dropped).toEqual({ late: 0, "null-key": 1, tombstone: 1, skipped: 0 })
})

test("A2: null from add deletes the row; init starts it again with its own time", async () => {
  const until3 = {
    init: () => 0,
    add: (total: number, value: number) => (total + value > 3 ? (null as never) : total + value),
  }
  const { driver, rows } = await outputs(
    () => S.stream(In).pipe(S.aggregate("sum", until3), S.toStream(), S.to(Out)),
    [
      ["a", 3, 10],
      ["a", 1, 11],
      ["a", 2, 5],
    ],
  )
  expect(rows).toEqual([
    ["a", 3, 10],
    ["a", null, 11],
    ["a", 2, 5],
  ])
  expect(driver.rows("sum")).toEqual([{ key: "a", value: 2, timestamp: 5 }])
})

test("A2: reduce begins with the first value", async () => {
  const { rows } = await outputs(
    () => S.stream(In).pipe(S.reduce("max", Math.max), S.toStream(), S.to(Out)),
    [
      ["a", 3, 1],
      ["a", 1, 2],
      ["a", 9, 3],
    ],
  )
  expect(rows.map(([, value]) => value)).toEqual([3, 3, 9])
})

test("what adds to a window is told its key, as its type says", async () => {
  const { rows } = await outputs(
    () =>
      S.stream(In).pipe(
        S.window(S.tumbling(10)),
        S.aggregate("keys", {
          init: () => "",
          add: (_, value, { key, start, end }) => `${value} ${key}@${start}-${end}`,
        }),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: key.key, value })),
        S.to(Out),
      ),
    [["a", 1, 15]],
  )
  expect(rows).toEqual([["a", "1 a@10-20", 15]])
})

const windowed = (windows: S.TimeWindows) => () =>
  S.stream(In).pipe(
    S.window(windows),
    S.count("n"),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({ key: `${key.key}[${key.start},${key.end})`, value })),
    S.to(Out),
  )

/** Reference W1 and W2: aligned to the epoch, end exclusive; updated while end > stream time - grace. */
const WINDOWS: ReadonlyArray<
  readonly [name: string, windows: S.TimeWindows, timestamps: readonly number[], rows: readonly string[], late: number]
> = [
  [
    "W1 W7: starts are aligned and ends exclusive",
    S.tumbling(10),
    [0, 9, 10],
    ["[0,10) 1", "[0,10) 2", "[10,20) 1"],
    0,
  ],
  ["W2 W6: without grace a window closes with its end", S.tumbling(10), [5, 10, 9], ["[0,10) 1", "[10,20) 1"], 1],
  [
    "W2: with grace it stays open until end + grace, exclusive",
    S.tumbling(10, { grace: 5 }),
    [5, 14, 9],
    ["[0,10) 1", "[10,20) 1", "[0,10) 2"],
    0,
  ],
  ["W2: at end + grace it is closed", S.tumbling(10, { grace: 5 }), [5, 15, 9], ["[0,10) 1", "[10,20) 1"], 1],
  [
    "W1: a record is in every hopping window around it",
    S.hopping(10, { advance: 5 }),
    [12],
    ["[5,15) 1", "[10,20) 1"],
    0,
  ],
  ["W1: before the epoch there are no windows", S.hopping(10, { advance: 5 }), [3], ["[0,10) 1"], 0],
  [
    "W2: late for one hopping window, in time for the next",
    S.hopping(10, { advance: 5 }),
    [12, 16, 12],
    ["[5,15) 1", "[10,20) 1", "[10,20) 2", "[15,25) 1", "[10,20) 3"],
    1,
  ],
]

test.each(WINDOWS)("%s", async (_, windows, timestamps, expected, late) => {
  const { driver, rows } = await outputs(
    windowed(windows),
    timestamps.map((timestamp) => ["k", 1, timestamp] as const),
  )
  expect(rows.map(([key, value]) => `${key.slice(1)} ${value}`)).toEqual(expected)
  expect(driver.dropped.late).toBe(late)
})

test("W2: windows of different keys are apart, stream time is not", async () => {
  const { driver } = await outputs(windowed(S.tumbling(10)), [
    ["a", 1, 5],
    ["b", 1, 25],
    ["a", 1, 6],
  ])
  expect(driver.dropped.late).toBe(1)
})

test("S1 W6: windows past their retention are forgotten", async () => {
  const { driver } = await outputs(windowed(S.tumbling(10, { grace: 10 })), [
    ["a", 1, 5],
    ["a", 1, 100],
  ])
  expect(driver.rows("n")).toEqual([{ key: "a", start: 100, value: 1, timestamp: 100 }])
})

test("T5: an operator goes by the time of the records that reach it, not by the task's", async () => {
  const { driver, rows } = await outputs(
    () =>
      S.stream(In).pipe(
        S.filter((value) => value > 0),
        S.window(S.tumbling(10)),
        S.count("n"),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: `${key.key}[${key.start},${key.end})`, value })),
        S.to(Out),
      ),
    [
      ["k", 1, 5],
      ["k", -1, 100],
      ["k", 1, 6],
      ["k", 1, 100],
      ["k", 1, 7],
    ],
  )
  expect(rows.map(([key, value]) => `${key} ${value}`)).toEqual(["k[0,10) 1", "k[0,10) 2", "k[100,110) 1"])
  expect(driver.dropped.late).toBe(1)
})
