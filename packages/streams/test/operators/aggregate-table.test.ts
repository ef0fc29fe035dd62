/**
 * keyBy on a table, then aggregate, reduce and count: reference row A3 (KGroupedTable, KIP-904).
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

interface Account {
  readonly region: string | null
  readonly balance: number
}

const Accounts = S.topic("accounts", { key: string, value: json<Account>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Step = readonly [account: string, row: readonly [region: string | null, balance: number] | null, timestamp: number]
type Row = readonly [region: string, value: any, timestamp: number]

const byRegion = () => S.table(Accounts).pipe(S.keyBy((account) => account.region ?? undefined))

/** Says each step that it takes, so that their order and number can be seen. */
const told = {
  init: (): string[] => [],
  add: (steps: string[], { balance }: Account) => [...steps, `+${balance}`],
  subtract: (steps: string[], { balance }: Account) => [...steps, `-${balance}`],
}

async function outputs(build: () => S.Sink<never>, steps: readonly Step[]) {
  const driver = await drive(build, steps)
  return { driver, rows: driver.read(Out).map(({ key, value, timestamp }): Row => [key, value, timestamp]) }
}

async function drive(build: () => S.Sink<never> | S.Table<any, any>, steps: readonly Step[], partitions = 1) {
  const driver = await TestDriver.start(S.pipeline("app", build), { partitions })
  for (const [key, row, timestamp] of steps) {
    const value = row && { region: row[0], balance: row[1] }
    driver.send(Accounts, { key, value, timestamp })
  }
  await driver.run()
  return driver
}

const CASES: ReadonlyArray<readonly [name: string, steps: readonly Step[], expected: readonly Row[]]> = [
  ["the first row of a group is added to what init makes", [["a", ["eu", 5], 1]], [["eu", ["+5"], 1]]],
  [
    "a row that stays in its group is one change: subtracted, then added",
    [
      ["a", ["eu", 5], 1],
      ["a", ["eu", 7], 2],
    ],
    [
      ["eu", ["+5"], 1],
      ["eu", ["+5", "-5", "+7"], 2],
    ],
  ],
  [
    "a row that moves leaves its group first",
    [
      ["a", ["eu", 5], 1],
      ["a", ["us", 7], 2],
    ],
    [
      ["eu", ["+5"], 1],
      ["eu", ["+5", "-5"], 2],
      ["us", ["+7"], 2],
    ],
  ],
  [
    "a deleted row leaves its group",
    [
      ["a", ["eu", 5], 1],
      ["b", ["eu", 6], 2],
      ["a", null, 3],
    ],
    [
      ["eu", ["+5"], 1],
      ["eu", ["+5", "+6"], 2],
      ["eu", ["+5", "+6", "-5"], 3],
    ],
  ],
  ["a deletion of no row says nothing", [["a", null, 1]], []],
  [
    "a group has the greatest timestamp of its changes",
    [
      ["a", ["eu", 5], 9],
      ["b", ["eu", 6], 4],
      ["a", ["us", 5], 7],
    ],
    [
      ["eu", ["+5"], 9],
      ["eu", ["+5", "+6"], 9],
      ["eu", ["+5", "+6", "-5"], 9],
      ["us", ["+5"], 7],
    ],
  ],
  [
    "the half without a group is skipped",
    [
      ["a", [null, 5], 1],
      ["a", ["eu", 6], 2],
      ["a", [null, 7], 3],
    ],
    [
      ["eu", ["+6"], 2],
      ["eu", ["+6", "-6"], 3],
    ],
  ],
]

test.each(CASES)("A3: %s", async (_, steps, expected) => {
  const { rows } = await outputs(
    () => byRegion().pipe(S.aggregate("told", { ...told, value: json<string[]>() }), S.toStream(), S.to(Out)),
    steps,
  )
  expect(rows).toEqual(expected)
})

test("A3: rows without a group are counted, once for each half", async () => {
  const { driver } = await outputs(
    () => byRegion().pipe(S.aggregate("told", told), S.toStream(), S.to(Out)),
    [
      ["a", [null, 5], 1],
      ["a", [null, 6], 2],
    ],
  )
  expect(driver.dropped["null-key"]).toBe(3)
})

test("A3: null deletes the group; nothing is subtracted from it then, and init begins it again", async () => {
  const { driver, rows } = await outputs(
    () =>
      byRegion().pipe(
        S.aggregate("sum", {
          init: () => 0,
          add: (sum, { balance }) => (balance === 13 ? (null as never) : sum + balance),
          subtract: (sum, { balance }) => sum - balance,
        }),
        S.toStream(),
        S.to(Out),
      ),
    [
      ["a", ["eu", 5], 5],
      ["b", ["eu", 13], 6],
      ["a", ["us", 5], 7],
      ["c", ["eu", 2], 3],
    ],
  )
  expect(rows).toEqual([
    ["eu", 5, 5],
    ["eu", null, 6],
    ["eu", null, 7],
    ["us", 5, 7],
    ["eu", 2, 3],
  ])
  expect(driver.rows("sum")).toEqual([
    { key: "eu", value: 2, timestamp: 3 },
    { key: "us", value: 5, timestamp: 7 },
  ])
})

test("A3: null from subtract is no value for the add of the same change", async () => {
  const { rows } = await outputs(
    () =>
      byRegion().pipe(
        S.aggregate("last", {
          init: () => 100,
          add: (sum, { balance }) => sum + balance,
          subtract: () => null as never,
        }),
        S.toStream(),
        S.to(Out),
      ),
    [
      ["a", ["eu", 5], 1],
      ["a", ["eu", 6], 2],
    ],
  )
  expect(rows).toEqual([
    ["eu", 105, 1],
    ["eu", 106, 2],
  ])
})

test("A3: count keeps a group that has become empty at 0; reduce adds and subtracts rows", async () => {
  const steps: Step[] = [
    ["a", ["eu", 5], 1],
    ["b", ["eu", 6], 2],
    ["a", ["eu", 7], 3],
    ["b", null, 4],
    ["a", ["us", 7], 5],
  ]
  const counted = await outputs(() => byRegion().pipe(S.count("n"), S.toStream(), S.to(Out)), steps)
  expect(counted.rows.map(([region, count]) => [region, count])).toEqual([
    ["eu", 1],
    ["eu", 2],
    ["eu", 2],
    ["eu", 1],
    ["eu", 0],
    ["us", 1],
  ])
  const plus = (sign: number) => (left: Account, right: Account) => ({
    ...left,
    balance: left.balance + sign * right.balance,
  })
  const reduced = await outputs(
    () => byRegion().pipe(S.reduce("sum", plus(1), { subtract: plus(-1) }), S.toStream(), S.to(Out)),
    steps,
  )
  expect(reduced.rows.map(([region, { balance }]) => [region, balance])).toEqual([
    ["eu", 5],
    ["eu", 11],
    ["eu", 13],
    ["eu", 7],
    ["eu", 0],
    ["us", 7],
  ])
})

test("A3: an aggregate that is changed in place, over tables of tables and three partitions, holds what is there at the end", async () => {
  const build = () =>
    S.table(Accounts).pipe(
      S.filterTable((account) => account.balance > 3),
      S.mapTable(({ region, balance }) => ({ region, cents: balance * 100 })),
      S.keyBy((account, key) => [account.region, key.length] as const, { value: json<any>() }),
      S.aggregate("cents", {
        init: () => ({ cents: 0 }),
        add(group, { cents }) {
          group.cents += cents
          return group
        },
        subtract(group, { cents }) {
          group.cents -= cents
          return group
        },
      }),
    )
  const driver = await drive(
    build,
    [
      ["a", ["eu", 5], 1],
      ["b", ["eu", 6], 2],
      ["cc", ["eu", 9], 3],
      ["a", ["eu", 2], 4],
      ["b", ["us", 7], 5],
      ["d", ["us", 4], 6],
    ],
    3,
  )
  const rows = driver.rows("cents").map(({ key, value }) => [key, value.cents])
  expect(rows.sort()).toEqual([
    [["eu", 1], 0],
    [["eu", 2], 900],
    [["us", 1], 1100],
  ])
})

test("A3: without subtract it is refused by name", () => {
  const add = { init: () => 0, add: (sum: number) => sum + 1 }
  // @ts-expect-error what leaves a group must be taken out
  expect(() => byRegion().pipe(S.aggregate("sum", add))).toThrow(
    'aggregate "sum": over a grouped table it needs subtract, which takes out what a row no longer is',
  )
  // @ts-expect-error of reduce too
  expect(() => byRegion().pipe(S.reduce("least", (left: Account) => left))).toThrow('reduce "least": over a grouped')
})
