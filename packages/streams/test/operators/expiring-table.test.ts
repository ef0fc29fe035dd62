/**
 * Rows with a time to live: of tables, aggregates and processors' stores.
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Row = readonly [key: string, value: number | null, timestamp: number]

async function outputs(build: () => S.Sink<never>, rows: readonly Row[]) {
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const [key, value, timestamp] of rows) driver.send(In, { key, value, timestamp })
  await driver.run()
  return { driver, out: driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp]) }
}

const TTL: ReadonlyArray<readonly [name: string, rows: readonly Row[], expected: readonly Row[]]> = [
  [
    "a row goes before the record that moves time to its end, and at that time",
    [
      ["a", 1, 10],
      ["b", 2, 109],
      ["b", 3, 110],
    ],
    [
      ["a", 1, 10],
      ["b", 2, 109],
      ["a", null, 110],
      ["b", 3, 110],
    ],
  ],
  [
    "rows go in the order of their ends",
    [
      ["a", 1, 30],
      ["b", 2, 20],
      ["c", 3, 500],
    ],
    [
      ["a", 1, 30],
      ["b", 2, 20],
      ["b", null, 120],
      ["a", null, 130],
      ["c", 3, 500],
    ],
  ],
  [
    "an update prolongs a row's life, a record that is older shortens it",
    [
      ["a", 1, 10],
      ["a", 2, 60],
      ["b", 3, 60],
      ["b", 4, 20],
      ["c", 5, 125],
      ["c", 6, 165],
    ],
    [
      ["a", 1, 10],
      ["a", 2, 60],
      ["b", 3, 60],
      ["b", 4, 20],
      ["b", null, 120],
      ["c", 5, 125],
      ["a", null, 160],
      ["c", 6, 165],
    ],
  ],
  [
    "a row that was deleted and made anew lives from then on",
    [
      ["a", 1, 10],
      ["a", null, 20],
      ["a", 2, 30],
      ["b", 3, 125],
      ["b", 4, 130],
    ],
    [
      ["a", 1, 10],
      ["a", null, 20],
      ["a", 2, 30],
      ["b", 3, 125],
      ["a", null, 130],
      ["b", 4, 130],
    ],
  ],
  [
    "what is too old when it comes is dropped, but a deletion",
    [
      ["a", 1, 200],
      ["a", 2, 100],
      ["a", null, 90],
    ],
    [
      ["a", 1, 200],
      ["a", null, 90],
    ],
  ],
]

test.each(TTL)("ttl of a table: %s", async (_, rows, expected) => {
  const { out } = await outputs(() => S.table(In, { ttl: 100 }).pipe(S.toStream(), S.to(Out)), rows)
  expect(out).toEqual(expected)
  const ofStream = await outputs(
    () =>
      S.stream(In).pipe(
        S.toTable("latest", { ttl: 100 }),
        // A table that derives from it learns of what went, with the value before.
        S.filterTable((value) => value >= 0),
        S.toStream(),
        S.to(Out),
      ),
    rows,
  )
  expect(ofStream.out).toEqual(expected)
})

test("ttl: rows that went are deleted in the changelog too, and nothing is left of their timers", async () => {
  const { driver } = await outputs(
    () => S.table(In, { ttl: 100 }).pipe(S.toStream(), S.to(Out)),
    [
      ["a", 1, 10],
      ["b", 2, 500],
    ],
  )
  const expected = [{ key: "b", value: 2, timestamp: 500 }]
  const timers = [{ key: "b", value: true, timestamp: 600 }]
  expect([driver.rows("in"), driver.rows("in-ttl")]).toEqual([expected, timers])
  await driver.crash({ loseEngines: true })
  await driver.run()
  expect([driver.rows("in"), driver.rows("in-ttl")]).toEqual([expected, timers])
  expect(driver.dropped.late).toBe(0)
})

test("ttl of an aggregate: a key that was silent begins again; a late record counts where the row is alive", async () => {
  const { driver, out } = await outputs(
    () =>
      S.stream(In).pipe(
        S.aggregate("sums", { init: () => 0, add: (sum, value) => sum + value, ttl: 100 }),
        S.toStream(),
        S.to(Out),
      ),
    [
      ["a", 1, 10],
      ["a", 2, 100],
      ["b", 3, 150],
      ["a", 4, 20],
      ["c", 5, 40],
      ["a", 6, 300],
    ],
  )
  expect(out).toEqual([
    ["a", 1, 10],
    ["a", 3, 100],
    ["b", 3, 150],
    ["a", 7, 100],
    ["a", null, 200],
    ["b", null, 250],
    ["a", 6, 300],
  ])
  expect(driver.dropped.late).toBe(1)
})

test("ttl: a group is told the old value of a row that went", async () => {
  const { out } = await outputs(
    () =>
      S.table(In, { ttl: 100 }).pipe(
        S.keyBy(() => "all"),
        S.aggregate("sum", {
          init: () => 0,
          add: (sum, value) => sum + value,
          subtract: (sum, value) => sum - value,
        }),
        S.toStream(),
        S.to(Out),
      ),
    [
      ["a", 1, 10],
      ["b", 2, 50],
      ["c", 4, 120],
    ],
  )
  expect(out.map(([, sum]) => sum)).toEqual([1, 3, 2, 6])
})

test("ttl: what cannot be is refused by name", () => {
  expect(() => S.table(In, { ttl: 0 })).toThrow('table "in" ttl: must be more than 0')
  expect(() => S.table(In, { ttl: 5, versioned: { history: 5 } })).toThrow('table "in": give either a ttl or versioned')
  expect(() => S.keyValueStore("last", { ttl: 0 })).toThrow('store "last" ttl: must be more than 0')
  const windowed = S.stream(In).pipe(S.window(S.tumbling(10)))
  // @ts-expect-error windows have their own retention
  expect(() => windowed.pipe(S.count("n", { ttl: 5 }))).toThrow('count "n": a ttl is for streams without windows')
})
