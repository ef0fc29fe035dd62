/**
 * Operators without state, as tables: what goes in, what comes out, tombstones and timestamps included.
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Second = S.topic("second", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Row = readonly [key: string | null, value: any, timestamp: number]
type Case = readonly [
  name: string,
  build: (input: S.Stream<string, number>) => S.Stream<string, any>,
  out: readonly Row[],
]

const INPUT: readonly Row[] = [
  ["a", 1, 10],
  ["b", 2, 20],
  ["a", null, 30],
  [null, 4, 40],
]

const CASES: readonly Case[] = [
  [
    "filter keeps what the test holds for and lets tombstones pass",
    (s) => s.pipe(S.filter((n) => n > 1)),
    [
      ["b", 2, 20],
      ["a", null, 30],
      [null, 4, 40],
    ],
  ],
  [
    "map keeps key and time; tombstones stay tombstones",
    (s) => s.pipe(S.map((n) => n * 10)),
    [
      ["a", 10, 10],
      ["b", 20, 20],
      ["a", null, 30],
      [null, 40, 40],
    ],
  ],
  [
    "map sees the record",
    (s) => s.pipe(S.map((n, record) => [n, record.key, record.timestamp, record.topic, record.offset])),
    [
      ["a", [1, "a", 10, "in", 0], 10],
      ["b", [2, "b", 20, "in", 1], 20],
      ["a", null, 30],
      [null, [4, null, 40, "in", 3], 40],
    ],
  ],
  [
    "flatMap gives each result the input's key and time, and drops tombstones",
    (s) => s.pipe(S.flatMap((n) => Array.from({ length: n }, (_, at) => at))),
    [
      ["a", 0, 10],
      ["b", 0, 20],
      ["b", 1, 20],
      [null, 0, 40],
      [null, 1, 40],
      [null, 2, 40],
      [null, 3, 40],
    ],
  ],
  [
    "keyBy takes the key from the value and drops tombstones",
    (s) => s.pipe(S.keyBy((n) => `k${n}`)),
    [
      ["k1", 1, 10],
      ["k2", 2, 20],
      ["k4", 4, 40],
    ],
  ],
  [
    "mapRecord may set the time",
    (s) =>
      s.pipe(S.mapRecord(({ key, value, timestamp }) => ({ key: `${key}!`, value: -value, timestamp: timestamp + 1 }))),
    [
      ["a!", -1, 11],
      ["b!", -2, 21],
      ["null!", -4, 41],
    ],
  ],
  [
    "flatMapRecord gives each result its own key, and its own time where it says one",
    (s) =>
      s.pipe(
        S.flatMapRecord(({ key, value, timestamp }) => [
          { key: `${key}1`, value },
          { key: `${key}2`, value: -value, timestamp: timestamp + 5 },
        ]),
      ),
    [
      ["a1", 1, 10],
      ["a2", -1, 15],
      ["b1", 2, 20],
      ["b2", -2, 25],
      ["null1", 4, 40],
      ["null2", -4, 45],
    ],
  ],
  [
    "tap changes nothing, whatever it answers",
    (s) => s.pipe(S.tap((n) => n * 2)),
    [
      ["a", 1, 10],
      ["b", 2, 20],
      ["a", null, 30],
      [null, 4, 40],
    ],
  ],
  [
    "tombstones shows deletions as null",
    (s) =>
      s.pipe(
        S.tombstones(),
        S.map((n) => n ?? "gone"),
      ),
    [
      ["a", 1, 10],
      ["b", 2, 20],
      ["a", "gone", 30],
      [null, 4, 40],
    ],
  ],
  [
    "null from a callback is a value until it is written",
    (s) =>
      s.pipe(
        S.map((n) => (n === 2 ? null : n)),
        S.filter((n) => n !== null),
      ),
    [
      ["a", 1, 10],
      ["a", null, 30],
      [null, 4, 40],
    ],
  ],
]

test.each(CASES)("D4: %s", async (_, build, expected) => {
  await using driver = await TestDriver.start(S.pipeline("app", () => build(S.stream(In)).pipe(S.to(Out))))
  for (const [key, value, timestamp] of INPUT) driver.send(In, { key: key as string, value, timestamp })
  await driver.run()
  expect(driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual(expected)
})

test("D6 T6: merge takes the smallest timestamp first", async () => {
  const merged = S.pipeline("app", () => S.stream(In).pipe(S.merge(S.stream(Second)), S.to(Out)))
  await using driver = await TestDriver.start(merged)
  driver.send(In, { key: "a", value: 1, timestamp: 10 }, { key: "a", value: 3, timestamp: 30 })
  driver.send(Second, { key: "b", value: 2, timestamp: 20 }, { key: "b", value: 4, timestamp: 40 })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([1, 2, 3, 4])
})

test("D1 D6 T6: several topics are one stream, so are several merged streams; smallest timestamp first", async () => {
  const Third = S.topic("third", { key: string, value: json<number>() })
  const built = [
    () => S.stream([In, Second, Third]).pipe(S.to(Out)),
    () => S.stream(In).pipe(S.merge(S.stream(Second), S.stream(Third)), S.to(Out)),
  ]
  for (const build of built) {
    await using driver = await TestDriver.start(S.pipeline("app", build))
    driver.send(In, { key: "a", value: 1, timestamp: 10 }, { key: "a", value: 5, timestamp: 50 })
    driver.send(Second, { key: "b", value: 2, timestamp: 20 }, { key: "b", value: 4, timestamp: 40 })
    driver.send(Third, { key: "c", value: 3, timestamp: 30 })
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value)).toEqual([1, 2, 3, 4, 5])
  }
})

test("D4: forEach sees each record but tombstones, once for each time that it is processed", async () => {
  const seen: unknown[] = []
  const pipeline = S.pipeline("app", () => S.stream(In).pipe(S.forEach((n, { key }) => void seen.push([key, n]))))
  await using driver = await TestDriver.start(pipeline)
  for (const [key, value, timestamp] of INPUT) driver.send(In, { key: key as string, value, timestamp })
  driver.process(1)
  await driver.abort()
  await driver.run()
  expect(seen).toEqual([
    ["a", 1],
    ["a", 1],
    ["b", 2],
    [null, 4],
  ])
})

test("D4: print writes label, key and value of each record", async () => {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const pipeline = S.pipeline("app", () => [
    S.stream(In).pipe(S.print({ write })),
    S.stream(In).pipe(
      S.map((n) => ({ n })),
      S.print({ write, label: "mapped" }),
    ),
  ])
  await using driver = await TestDriver.start(pipeline)
  for (const [key, value, timestamp] of INPUT.slice(1)) driver.send(In, { key: key as string, value, timestamp })
  await driver.run()
  expect(lines).toEqual([
    "[in]: b, 2",
    '[mapped]: b, {"n":2}',
    "[in]: a, null",
    "[mapped]: a, null",
    "[in]: null, 4",
    '[mapped]: null, {"n":4}',
  ])
})

test("D5: without a test that holds a record is dropped; names that are numbers would change the order", () => {
  const numbered = () => S.stream(In).pipe(S.branch({ b: () => false, "1": () => true }))
  expect(numbered).toThrow('branch "1": a name must not be a number')
})

test("D5: branch gives each record to the first test that holds, and tombstones to all", async () => {
  const pipeline = S.pipeline("app", () => {
    const { small, rest } = S.stream(In).pipe(S.branch({ small: (n) => n < 2, rest: (n) => n < 4 }))
    return [small.pipe(S.to(Out)), rest.pipe(S.to(Second))]
  })
  await using driver = await TestDriver.start(pipeline)
  for (const [key, value, timestamp] of INPUT) driver.send(In, { key: key as string, value, timestamp })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([1, null])
  expect(driver.read(Second).map(({ value }) => value)).toEqual([2, null])
})

test("D4 P5: headers travel with the record", async () => {
  await using driver = await TestDriver.start(
    S.pipeline("app", () =>
      S.stream(In).pipe(
        S.map((n) => n),
        S.keyBy(String),
        S.to(Out),
      ),
    ),
  )
  driver.send(In, { key: "a", value: 1, timestamp: 1, headers: [{ key: "trace", value: Buffer.from("7") }] })
  await driver.run()
  expect(driver.read(Out)[0]!.headers.map(({ key, value }) => [key, String(value)])).toEqual([["trace", "7"]])
})

test("F3: what a callback throws names pipeline, operator and record", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.map((n) => {
        if (n === 2) throw new Error("two is too much")
        return n
      }),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  driver.send(In, { key: "a", value: 1, timestamp: 1 }, { key: "a", value: 2, timestamp: 2 })
  expect(() => driver.process()).toThrow('pipeline "app", operator "map-1", record in-0@1: two is too much')
})

test("F1: bytes that do not decode name the record", async () => {
  await using driver = await TestDriver.start(S.pipeline("app", () => S.stream(In).pipe(S.to(Out))))
  driver.cluster.log({ topic: "in", partition: 0 }).append(5, Buffer.from("a"), Buffer.from("{"), [])
  expect(() => driver.process()).toThrow(/operator "source-0", record in-0@0: /)
})
