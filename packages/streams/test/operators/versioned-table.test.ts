/**
 * Versioned tables and what is made of them (reference rows A7, J12, A4, KIP-914), and processors with versioned stores (S2).
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Prices = S.topic("prices", { key: string, value: json<number>() })
const Others = S.topic("others", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Row = readonly [key: string | null, value: number | null, timestamp: number]

const versioned = { versioned: { history: 100 } } as const

async function outputs(build: () => S.Sink<never>, rows: readonly Row[]) {
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const [key, value, timestamp] of rows) driver.send(Prices, { key: key as string, value, timestamp })
  await driver.run()
  return { driver, out: driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp]) }
}

const LATE: readonly Row[] = [
  ["a", 1, 10],
  ["a", 3, 30],
  ["a", 2, 20],
  ["b", 9, 150],
  ["a", 5, 49],
  ["a", 6, 50],
  [null, 7, 60],
]

test("A7: the latest timestamp wins, and the rest is history; what is before the history is dropped", async () => {
  const { driver, out } = await outputs(() => S.table(Prices, versioned).pipe(S.toStream(), S.to(Out)), LATE)
  // Changes to the past are told too, as stream records would be.
  expect(out).toEqual([
    ["a", 1, 10],
    ["a", 3, 30],
    ["a", 2, 20],
    ["b", 9, 150],
    ["a", 6, 50],
  ])
  expect(driver.dropped).toMatchObject({ late: 1, "null-key": 1 })
  // The versions that ended before 50 are history that is over.
  expect(driver.rows("prices")).toEqual([
    { key: "a", value: 6, timestamp: 50 },
    { key: "b", value: 9, timestamp: 150 },
  ])
  expect(driver.cluster.logs("app-prices-changelog")).toHaveLength(1)
})

test("A7: a record of the same time replaces, a tombstone ends a version, one out of order too", async () => {
  const { driver } = await outputs(
    () => S.table(Prices, versioned).pipe(S.toStream(), S.to(Out)),
    [
      ["a", 1, 10],
      ["a", 2, 10],
      ["a", 3, 30],
      ["a", null, 20],
      ["a", null, 40],
    ],
  )
  expect(driver.rows("prices")).toEqual([
    { key: "a", value: 3, timestamp: 30, validTo: 40 },
    { key: "a", value: 2, timestamp: 10, validTo: 20 },
  ])
})

test("J12 A3: an aggregate of a grouped table holds what is latest by time, not what came last", async () => {
  const build = (options: object) => () =>
    S.table(Prices, options).pipe(
      S.mapTable((price) => price * 10),
      S.keyBy(() => "all"),
      S.aggregate("sum", {
        init: () => 0,
        add: (sum, price) => sum + price,
        subtract: (sum, price) => sum - price,
      }),
      S.toStream(),
      S.to(Out),
    )
  const rows: readonly Row[] = [
    ["a", 1, 10],
    ["a", 3, 30],
    ["a", 2, 20],
  ]
  const { driver, out } = await outputs(build(versioned), rows)
  expect(out.map(([, sum]) => sum)).toEqual([10, 30])
  expect(driver.dropped.late).toBe(1)
  const plain = await outputs(build({}), rows)
  expect(plain.out.map(([, sum]) => sum)).toEqual([10, 30, 20])
})

test("J12: a join of tables is not triggered by a change to the past; a kept table in between forgets that it is one", async () => {
  const build = (keeping: object) => () =>
    S.table(Prices, versioned).pipe(
      S.mapTable((price) => price * 10, keeping),
      S.leftJoinTables("both", S.table(Others), (price, other) => [price, other ?? null]),
      S.toStream(),
      S.to(Out),
    )
  const rows: readonly Row[] = [
    ["a", 1, 10],
    ["a", 3, 30],
    ["a", 2, 20],
  ]
  const { out } = await outputs(build({}), rows)
  expect(out.map(([, pair]) => pair)).toEqual([
    [10, null],
    [30, null],
  ])
  const kept = await outputs(build({ store: "kept" }), rows)
  expect(kept.out.map(([, pair]) => pair)).toEqual([
    [10, null],
    [30, null],
    [20, null],
  ])
})

test("J12: nor is a join by foreign key, on either side", async () => {
  const build = (side: "left" | "right") => () => {
    const prices = S.table(Prices, versioned)
    const others = S.table(Others)
    const joined =
      side === "left"
        ? prices.pipe(
            S.joinForeignKey(
              "fk",
              others,
              () => "a",
              (price) => price,
            ),
          )
        : others.pipe(
            S.joinForeignKey(
              "fk",
              prices,
              () => "a",
              (_, price) => price,
            ),
          )
    return joined.pipe(S.toStream(), S.to(Out))
  }
  for (const side of ["left", "right"] as const) {
    await using driver = await TestDriver.start(S.pipeline("app", build(side)))
    driver.send(Others, { key: "a", value: 0, timestamp: 0 })
    await driver.run()
    for (const [value, timestamp] of [
      [1, 10],
      [3, 30],
      [2, 20],
    ] as const) {
      driver.send(Prices, { key: "a", value, timestamp })
      await driver.run()
    }
    expect(driver.read(Out).map(({ value }) => value)).toEqual([1, 3])
    expect(driver.dropped.late).toBe(1)
  }
})

test("A4: filterTable of a versioned table always sends the tombstone, which ends an earlier version", async () => {
  const { out } = await outputs(
    () =>
      S.table(Prices, versioned).pipe(
        S.filterTable((price) => price > 4),
        S.toStream(),
        S.to(Out),
      ),
    [
      ["a", 1, 10],
      ["a", 5, 30],
      ["a", 2, 20],
      ["a", 3, 40],
    ],
  )
  expect(out).toEqual([
    ["a", null, 10],
    ["a", 5, 30],
    ["a", null, 20],
    ["a", null, 40],
  ])
})

test("A7 D9: toTable keeps versions too, also behind a repartition, and restores them from the changelog", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(Prices).pipe(
      S.keyBy((_, { key }) => `k${key}`),
      S.toTable("latest", versioned),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  for (const [key, value, timestamp] of LATE.slice(0, 3)) driver.send(Prices, { key: key!, value, timestamp })
  await driver.run()
  const expected = [
    { key: "ka", value: 3, timestamp: 30 },
    { key: "ka", value: 2, timestamp: 20, validTo: 30 },
    { key: "ka", value: 1, timestamp: 10, validTo: 20 },
  ]
  expect(driver.rows("latest")).toEqual(expected)
  await driver.crash({ loseEngines: true })
  await driver.run()
  expect(driver.rows("latest")).toEqual(expected)
})

test("S2: a processor puts and reads versions", async () => {
  const History = S.versionedStore("history", { key: string, value: json<number>(), history: 100 })
  const { out } = await outputs(
    () =>
      S.stream(Prices).pipe(
        S.process("asked", { stores: { history: History }, value: json<any>() }, ({ stores, forward }) => ({
          process({ key, value, timestamp }) {
            const validTo = stores.history.put(key, value)
            const { value: before } = stores.history.getVersion(key, timestamp - 1)
            const all = [...stores.history.versions(key)].map((one) => one.value)
            forward({ key, value: [String(validTo), before ?? null, all] })
            if (value === 4) stores.history.delete(key, 15)
          },
        })),
        S.to(Out),
      ),
    [
      ["a", 1, 10],
      ["a", 3, 30],
      ["a", 2, 20],
      ["a", 4, 50],
      ["a", 5, 170],
      ["a", 6, 60],
    ],
  )
  expect(out.map(([, value]) => value)).toEqual([
    ["Infinity", null, [1]],
    ["Infinity", 1, [3, 1]],
    ["30", 1, [3, 2, 1]],
    ["Infinity", 3, [4, 3, 2, 1]],
    ["Infinity", 4, [5, 4]],
    ["undefined", null, [5, 4]],
  ])
})

test("S4: a table read twice, once with versions, is refused; so is a history of nothing", async () => {
  const both = () =>
    S.pipeline("app", () => [
      S.table(Prices, versioned).pipe(S.toStream(), S.to(Out)),
      S.table(Prices).pipe(S.toStream(), S.to(Out)),
    ])
  expect(both).toThrow("is read twice with different options")
  expect(() => S.table(Prices, { versioned: { history: 0 } })).toThrow('table "prices" history: must be more than 0')
})

test("A3: a table of groups is a table like others: it is filtered, kept and read by key", async () => {
  const { driver, out } = await outputs(() => {
    const counts = S.table(Prices).pipe(
      S.keyBy((price) => price % 2),
      S.count("counts"),
      S.filterTable((count) => count > 1, { store: "many" }),
    )
    return S.stream(Prices).pipe(
      S.keyBy((price) => price % 2),
      S.joinTable("with", counts, (price, count) => [price, count]),
      S.mapRecord(({ key, value }) => ({ key: String(key), value })),
      S.to(Out),
    )
  }, [
    ["a", 1, 1],
    ["b", 3, 2],
    ["c", 5, 3],
  ])
  expect(driver.rows("many")).toEqual([{ key: 1, value: 3, timestamp: 3 }])
  expect(out.every(([key]) => key === "1")).toBe(true)
})
