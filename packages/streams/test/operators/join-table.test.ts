import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Events = S.topic("events", { key: string, value: json<string>() })
const Rows = S.topic("rows", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<string>() })

type Step = readonly [side: "event" | "row", key: string | null, value: string | null, timestamp: number]

const joined = (left: boolean) =>
  S.pipeline("app", () =>
    S.stream(Events).pipe(
      left
        ? S.leftJoinTable("rows-join", S.table(Rows), (event, row) => `${event}:${row ?? "-"}`)
        : S.joinTable("rows-join", S.table(Rows), (event, row) => `${event}:${row}`),
      S.to(Out),
    ),
  )

/** Reference J9 and J3: only the stream's side triggers, with the row as processed so far. */
const CASES: ReadonlyArray<
  readonly [name: string, steps: readonly Step[], inner: readonly string[], left: readonly string[]]
> = [
  ["no row", [["event", "a", "e", 1]], [], ["e:-"]],
  [
    "a row before",
    [
      ["row", "a", "r", 1],
      ["event", "a", "e", 2],
    ],
    ["e:r"],
    ["e:r"],
  ],
  [
    "a row after",
    [
      ["event", "a", "e", 1],
      ["row", "a", "r", 2],
    ],
    [],
    ["e:-"],
  ],
  [
    "the latest row",
    [
      ["row", "a", "r", 1],
      ["row", "a", "s", 2],
      ["event", "a", "e", 3],
    ],
    ["e:s"],
    ["e:s"],
  ],
  [
    "another key's row",
    [
      ["row", "b", "r", 1],
      ["event", "a", "e", 2],
    ],
    [],
    ["e:-"],
  ],
  [
    "a deleted row",
    [
      ["row", "a", "r", 1],
      ["row", "a", null, 2],
      ["event", "a", "e", 3],
    ],
    [],
    ["e:-"],
  ],
  [
    "an event without value",
    [
      ["row", "a", "r", 1],
      ["event", "a", null, 2],
    ],
    [],
    [],
  ],
  [
    "an event without key",
    [
      ["row", "a", "r", 1],
      ["event", null, "e", 2],
    ],
    [],
    ["e:-"],
  ],
  [
    "a row without key",
    [
      ["row", null, "r", 1],
      ["event", "a", "e", 2],
    ],
    [],
    ["e:-"],
  ],
  [
    "an older row that came later wins by offset",
    [
      ["row", "a", "r", 5],
      ["row", "a", "s", 3],
      ["event", "a", "e", 6],
    ],
    ["e:s"],
    ["e:s"],
  ],
]

test.each(CASES)("D2 J3 J9: %s", async (_, steps, inner, left) => {
  for (const [isLeft, expected] of [
    [false, inner],
    [true, left],
  ] as const) {
    await using driver = await TestDriver.start(joined(isLeft))
    for (const [side, key, value, timestamp] of steps) {
      driver.send(side === "row" ? Rows : Events, { key: key as string, value, timestamp })
    }
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value)).toEqual(expected)
  }
})

test("J9 T10: the result has the stream record's time", async () => {
  await using driver = await TestDriver.start(joined(false))
  driver.send(Rows, { key: "a", value: "r", timestamp: 5 })
  driver.send(Events, { key: "a", value: "e", timestamp: 9 })
  await driver.run()
  expect(driver.read(Out).map(({ timestamp }) => timestamp)).toEqual([9])
})

test("D13 J9: the stream is repartitioned by the table's own serde", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(Events).pipe(
      S.keyBy((event) => event),
      S.joinTable("by-name", S.table(Rows), (event, row) => `${event}:${row}`),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline, { partitions: { events: 2, rows: 4, out: 1 } })
  const names = ["ann", "bob", "cid", "dan", "eve"]
  for (const name of names) driver.send(Rows, { key: name, value: name.toUpperCase(), timestamp: 0 })
  for (const name of names) driver.send(Events, { key: "x", value: name, timestamp: 1 })
  await driver.run()
  expect(
    driver
      .read(Out)
      .map(({ value }) => value)
      .sort(),
  ).toEqual(names.map((name) => `${name}:${name.toUpperCase()}`))
  expect(driver.cluster.logs("app-by-name-repartition")).toHaveLength(4)
})

test("J13: topics that are joined must have the same number of partitions", async () => {
  await expect(TestDriver.start(joined(false), { partitions: { events: 2, rows: 3 } })).rejects.toThrow(
    /same number of partitions.*events has 2, rows has 3/,
  )
})
