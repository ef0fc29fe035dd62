/**
 * Tables made from tables and from streams: filterTable (A4), mapTable (A5), toTable (D9).
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Asks = S.topic("asks", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const Answers = S.topic("answers", { key: string, value: json<any>() })

type Row = readonly [key: string, value: number | null]

async function changes(build: (t: S.Table<string, number>) => S.Table<string, any>, rows: readonly Row[]) {
  const pipeline = S.pipeline("app", () => build(S.table(In)).pipe(S.toStream(), S.to(Out)))
  await using driver = await TestDriver.start(pipeline)
  for (const [at, [key, value]] of rows.entries()) driver.send(In, { key, value, timestamp: at })
  await driver.run()
  return driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])
}

const ROWS: readonly Row[] = [
  ["a", 5],
  ["b", 50],
  ["a", 60],
  ["a", 61],
  ["a", 6],
  ["a", 7],
  ["b", null],
  ["c", null],
]

test.each([
  ["a view", {}],
  ["a store", { store: "large" }],
])(
  "A4: filterTable as %s deletes rows that stop passing, and says nothing of rows that never did",
  async (_, options) => {
    const large = (t: S.Table<string, number>) => t.pipe(S.filterTable((value) => value > 10, options))
    expect(await changes(large, ROWS)).toEqual([
      ["b", 50, 1],
      ["a", 60, 2],
      ["a", 61, 3],
      ["a", null, 4],
      ["b", null, 6],
    ])
  },
)

test.each([
  ["a view", {}],
  ["a store", { store: "scaled", value: json<number>() }],
])("A5: mapTable as %s answers each change with one; null from the callback deletes", async (_, options) => {
  const scaled = (t: S.Table<string, number>) =>
    t.pipe(S.mapTable((value, key) => (value === 7 ? null : `${key}${value}`), options as {}))
  expect(await changes(scaled, ROWS)).toEqual([
    ["a", "a5", 0],
    ["b", "b50", 1],
    ["a", "a60", 2],
    ["a", "a61", 3],
    ["a", "a6", 4],
    ["a", null, 5],
    ["b", null, 6],
    ["c", null, 7],
  ])
})

test.each([
  ["views", undefined],
  ["stores", "kept"],
])("A4 A5: a lookup through derived tables held as %s finds what a store would hold", async (_, store) => {
  const pipeline = S.pipeline("app", () => {
    const named = (suffix: string) => (store === undefined ? {} : { store: `${store}-${suffix}` })
    const rows = S.table(In).pipe(
      S.mapTable((value) => value * 2, named("doubled")),
      S.filterTable((value) => value > 10, named("large")),
      S.mapTable((value, key) => `${key}:${value}`, named("shown")),
    )
    return S.stream(Asks).pipe(
      S.leftJoinTable("ask", rows, (_, row) => row ?? "none"),
      S.to(Answers),
    )
  })
  await using driver = await TestDriver.start(pipeline)
  const ask = async (at: number) => {
    driver.send(Asks, { key: "a", value: "?", timestamp: at })
    await driver.run()
    return driver.read(Answers).at(-1)!.value
  }
  expect(await ask(0)).toBe("none")
  driver.send(In, { key: "a", value: 6, timestamp: 1 })
  expect(await ask(2)).toBe("a:12")
  await driver.crash({ loseEngines: true })
  expect(await ask(3)).toBe("a:12")
  driver.send(In, { key: "a", value: 5, timestamp: 4 })
  expect(await ask(5)).toBe("none")
})

test("A4: a store of one's own is refused on a windowed table", () => {
  const windowed = () => S.stream(In).pipe(S.window(S.tumbling(10)), S.count("per-window"))
  expect(() => windowed().pipe(S.filterTable((count) => count > 1, { store: "busy" }))).toThrow(
    'filterTable: a windowed table has rows already; leave out the store "busy"',
  )
  expect(() => windowed().pipe(S.filterTable((count) => count > 1))).not.toThrow()
})

test("A7 D9: toTable upserts, deletes on null, drops null keys; the last record wins whatever its timestamp", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.tombstones(),
      S.map((value) => (value === 9 ? null : value)),
      S.toTable("latest"),
      S.toStream(),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  const sent: readonly (readonly [string | null, number | null, number])[] = [
    ["a", 1, 10],
    ["a", 2, 5],
    ["b", 3, 20],
    ["b", null, 30],
    ["c", 4, 40],
    ["c", 9, 50],
    [null, 5, 60],
  ]
  for (const [key, value, timestamp] of sent) driver.send(In, { key: key as string, value, timestamp })
  await driver.run()
  expect(driver.read(Out).map(({ key, value }) => [key, value])).toEqual([
    ["a", 1],
    ["a", 2],
    ["b", 3],
    ["b", null],
    ["c", 4],
    ["c", null],
  ])
  expect(driver.rows("latest")).toEqual([{ key: "a", value: 2, timestamp: 5 }])
  expect(driver.dropped["null-key"]).toBe(1)
})

test("D9: toTable repartitions a stream whose key changed", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.keyBy((value) => `k${value}`),
      S.toTable("by-value"),
    ),
  )
  await using driver = await TestDriver.start(pipeline, { partitions: 3 })
  for (const value of [1, 2, 1]) driver.send(In, { key: `${value}`, value, timestamp: value })
  await driver.run()
  expect([...driver.cluster.topics]).toContain("app-by-value-repartition")
  expect(
    driver
      .rows("by-value")
      .map(({ key }) => key)
      .sort(),
  ).toEqual(["k1", "k2"])
})
