/**
 * Streams with versioned tables: the row as of the record's time (reference row J9), and with grace (J10, KIP-923).
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Events = S.topic("events", { key: string, value: json<string>() })
const Rows = S.topic("rows", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<string>() })

type Step = readonly [side: "event" | "row", key: string | null, value: string | null, timestamp: number]
type Case = readonly [name: string, steps: readonly Step[], inner: readonly string[], left: readonly string[]]

interface Options {
  readonly isLeft?: boolean
  readonly grace?: number
  readonly history?: number
}

const joined = ({ isLeft = false, grace = 0, history = 100 }: Options) =>
  S.pipeline("app", () => {
    const rows = S.table(Rows, { versioned: { history } }).pipe(S.mapTable((row) => row.toUpperCase()))
    return S.stream(Events).pipe(
      isLeft
        ? S.leftJoinTable("joined", rows, (event, row) => `${event}:${row ?? "-"}`, { grace })
        : S.joinTable("joined", rows, (event, row) => `${event}:${row}`, { grace }),
      S.to(Out),
    )
  })

async function results(pipeline: S.Pipeline<never>, steps: readonly Step[]) {
  const driver = await TestDriver.start(pipeline)
  for (const [side, key, value, timestamp] of steps) {
    driver.send(side === "row" ? Rows : Events, { key: key as string, value, timestamp })
    await driver.run()
  }
  return { driver, values: driver.read(Out).map(({ value, timestamp }) => `${value}@${timestamp}`) }
}

const AS_OF: readonly Case[] = [
  [
    "the row that held at the record's time, not the latest",
    [
      ["row", "a", "r", 10],
      ["row", "a", "s", 20],
      ["event", "a", "e", 15],
      ["event", "a", "f", 20],
    ],
    ["e:R@15", "f:S@20"],
    ["e:R@15", "f:S@20"],
  ],
  [
    "no row before the first, none where it was deleted",
    [
      ["row", "a", "r", 10],
      ["row", "a", null, 20],
      ["row", "a", "s", 30],
      ["event", "a", "e", 9],
      ["event", "a", "f", 25],
    ],
    [],
    ["e:-@9", "f:-@25"],
  ],
  [
    "a row that came late changes the past",
    [
      ["row", "a", "s", 20],
      ["row", "a", "r", 10],
      ["event", "a", "e", 15],
    ],
    ["e:R@15"],
    ["e:R@15"],
  ],
  [
    "before the history only what still holds",
    [
      ["row", "a", "r", 10],
      ["row", "a", "s", 20],
      ["row", "b", "t", 10],
      ["row", "c", "u", 200],
      ["event", "a", "e", 15],
      ["event", "a", "f", 30],
      ["event", "b", "g", 15],
    ],
    ["f:S@30", "g:T@15"],
    ["e:-@15", "f:S@30", "g:T@15"],
  ],
]

test.each(AS_OF)("J9: %s", async (_, steps, inner, left) => {
  expect((await results(joined({}), steps)).values).toEqual(inner)
  expect((await results(joined({ isLeft: true }), steps)).values).toEqual(left)
})

const GRACE: readonly Case[] = [
  [
    "a record waits until stream time is beyond it by the grace, and then meets rows that came meanwhile",
    [
      ["event", "a", "e", 10],
      ["row", "a", "r", 5],
      ["event", "a", "f", 19],
      ["event", "a", "g", 20],
    ],
    ["e:R@10"],
    ["e:R@10"],
  ],
  [
    "records leave in the order of their times, whatever their keys and arrival",
    [
      ["row", "a", "r", 0],
      ["row", "b", "s", 0],
      ["event", "b", "e", 12],
      ["event", "a", "f", 11],
      ["event", "a", "g", 12],
      ["event", "a", "h", 30],
    ],
    ["f:R@11", "g:R@12", "e:S@12"],
    ["f:R@11", "g:R@12", "e:S@12"],
  ],
  [
    "records of one key and time are all kept, as they came",
    [
      ["row", "a", "r", 0],
      ["event", "a", "e", 10],
      ["event", "a", "e", 10],
      ["event", "a", "f", 10],
      ["event", "a", "g", 20],
    ],
    ["e:R@10", "e:R@10", "f:R@10"],
    ["e:R@10", "e:R@10", "f:R@10"],
  ],
  [
    "one that comes later than the grace is joined at once",
    [
      ["row", "a", "r", 0],
      ["event", "a", "e", 30],
      ["event", "a", "f", 19],
      ["event", "a", "g", 20],
    ],
    ["f:R@19", "g:R@20"],
    ["f:R@19", "g:R@20"],
  ],
  [
    "null keys and values do not wait; a left join answers the first",
    [
      ["row", "a", "r", 0],
      ["event", null, "e", 10],
      ["event", "a", null, 11],
    ],
    [],
    ["e:-@10"],
  ],
  [
    "only the stream moves its time",
    [
      ["event", "a", "e", 10],
      ["row", "a", "r", 90],
    ],
    [],
    [],
  ],
]

test.each(GRACE)("J10: %s", async (_, steps, inner, left) => {
  expect((await results(joined({ grace: 10 }), steps)).values).toEqual(inner)
  expect((await results(joined({ isLeft: true, grace: 10 }), steps)).values).toEqual(left)
})

test("J10: what waits survives an abort, a crash and the loss of the engines, headers and place included", async () => {
  const seen: unknown[] = []
  const pipeline = S.pipeline("app", () =>
    S.stream(Events).pipe(
      S.joinTable(
        "joined",
        S.table(Rows, { versioned: { history: 100 } }),
        (event, row, record) => {
          const { offset, topic, partition, headers } = record
          seen.push([event, row, topic, partition, offset, headers.map(({ key, value }) => [key, String(value)])])
          return row
        },
        { grace: 10 },
      ),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  const headers = [{ key: "trace", value: Buffer.from("7") }]
  driver.send(Events, { key: "a", value: "e", timestamp: 10, headers })
  driver.process(1)
  await driver.abort()
  await driver.run()
  await driver.crash({ loseEngines: true })
  driver.send(Rows, { key: "a", value: "r", timestamp: 9 })
  driver.send(Events, { key: "a", value: "f", timestamp: 20 })
  await driver.run()
  expect(seen).toEqual([["e", "r", "events", 0, 0, [["trace", "7"]]]])
  expect(driver.read(Out).map(({ headers }) => headers.map(({ key }) => key))).toEqual([["trace"]])
  expect(driver.rows("joined-waiting")).toHaveLength(1)
})

test("J10: a record that waited fails by itself; the one that moved time is kept", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(Events).pipe(
      S.guard(
        { deadLetter: "letters" },
        S.joinTable(
          "joined",
          S.table(Rows, { versioned: { history: 100 } }),
          (event) => {
            if (event === "bad") throw new Error("no")
            return event
          },
          { grace: 10 },
        ),
      ),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  driver.cluster.createTopic("letters", 1)
  driver.send(Rows, { key: "a", value: "r", timestamp: 0 })
  for (const [at, value] of [
    [10, "bad"],
    [11, "good"],
    [30, "mover"],
    [45, "end"],
  ] as const)
    driver.send(Events, { key: "a", value, timestamp: at })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual(["good", "mover"])
  const letters = S.topic("letters", { key: string, value: json<string>() })
  expect(driver.read(letters).map(({ value }) => value)).toEqual(["bad"])
})

test("J10: late rows are met behind a repartition too, and windows that follow see results in order", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(Events).pipe(
      S.keyBy((event) => event[0]!),
      S.joinTable("joined", S.table(Rows, { versioned: { history: 100 } }), (event, row) => event + row, { grace: 10 }),
      S.window(S.tumbling(10)),
      S.count("per-window"),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}`, value: String(value) })),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  const send = async (value: string, timestamp: number) => {
    driver.send(Events, { key: "x", value, timestamp })
    await driver.run()
  }
  driver.send(Rows, { key: "a", value: "r", timestamp: 0 })
  await send("a1", 8)
  await send("a2", 15)
  await send("a3", 12)
  await send("a4", 100)
  expect(driver.read(Out).map(({ key, value }) => [key, value])).toEqual([
    ["a@0", "1"],
    ["a@10", "1"],
    ["a@10", "2"],
  ])
  expect(driver.dropped.late).toBe(0)
})

test("J10: without a versioned table, or with one whose history is too short, it is refused by name", () => {
  const join = (table: S.Table<string, string>) =>
    S.stream(Events).pipe(S.joinTable("joined", table, (event) => event, { grace: "1 minute" }))
  expect(() => join(S.table(Rows))).toThrow('joinTable "joined": a grace needs a versioned table')
  const kept = S.table(Rows, { versioned: { history: "1 hour" } }).pipe(S.mapTable((row) => row, { store: "kept" }))
  expect(() => join(kept)).toThrow("a grace needs a versioned table")
  expect(() => join(S.table(Rows, { versioned: { history: "1 second" } }))).toThrow(
    "a grace of 60000 ms needs a history as long; the table's is 1000 ms",
  )
})
