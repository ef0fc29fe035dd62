/** Joins of two tables (reference 1.5, J5 to J7), as views and as stores. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Left = S.topic("left", { key: string, value: json<string>() })
const Right = S.topic("right", { key: string, value: json<string>() })
const Asks = S.topic("asks", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const Answers = S.topic("answers", { key: string, value: json<any>() })

const JOINS = {
  inner: S.joinTables as typeof S.outerJoinTables,
  left: S.leftJoinTables as typeof S.outerJoinTables,
  outer: S.outerJoinTables,
}
type Kind = keyof typeof JOINS
const show = (left: string | undefined, right: string | undefined): string => `${left ?? "-"}+${right ?? "-"}`

const HELD = [
  ["a view", {}],
  ["a store", { store: "joined", value: json<string>() }],
] as const
const CASES = (["inner", "left", "outer"] as const).flatMap((kind) =>
  HELD.map(([held, options]) => [kind, held, options] as const),
)

type Sent = readonly [side: "L" | "R", key: string | null, value: string | null, timestamp: number]

const send = (driver: TestDriver, [side, key, value, timestamp]: Sent) =>
  driver.send(side === "L" ? Left : Right, { key: key as string, value, timestamp })

const results = (driver: TestDriver) => driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])

async function joined(kind: Kind, options: {}, sent: readonly Sent[], f = show) {
  const build = () => S.table(Left).pipe(JOINS[kind]("j", S.table(Right), f, options), S.toStream(), S.to(Out))
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const one of sent) send(driver, one)
  await driver.run()
  return { driver, rows: results(driver) }
}

/** The table of Kafka's documentation, one line a record: what each kind of join answers; "" nothing, null a deletion. */
const TABLE: ReadonlyArray<
  readonly [side: "L" | "R", value: string | null, inner: string | null, left: string | null, outer: string | null]
> = [
  ["L", null, "", "", ""],
  ["R", null, "", "", ""],
  ["L", "A", "", "A+-", "A+-"],
  ["R", "a", "A+a", "A+a", "A+a"],
  ["L", "B", "B+a", "B+a", "B+a"],
  ["R", "b", "B+b", "B+b", "B+b"],
  ["L", null, null, null, "-+b"],
  ["R", null, "", "", null],
  ["L", "C", "", "C+-", "C+-"],
  ["R", "c", "C+c", "C+c", "C+c"],
  ["R", null, null, "C+-", "C+-"],
  ["L", null, "", null, null],
  ["R", null, "", "", ""],
  ["R", "d", "", "", "-+d"],
  ["L", "D", "D+d", "D+d", "D+d"],
]

test.each(CASES)("J5 J6 J7: the documented table, %s join as %s", async (kind, _, options) => {
  const { rows } = await joined(
    kind,
    options,
    TABLE.map(([side, value], at) => [side, "k", value, at + 1]),
  )
  const column = { inner: 2, left: 3, outer: 4 } as const
  const expected = TABLE.flatMap((line, at) => (line[column[kind]] === "" ? [] : [["k", line[column[kind]], at + 1]]))
  expect(rows).toEqual(expected)
})

test.each(CASES)(
  "J5 J6 J7 T10: a result has the greater time of both rows, %s join as %s",
  async (kind, _, options) => {
    const { driver } = await joined(kind, options, [])
    const sent: Sent[] = [
      ["L", "k", "A", 10],
      ["R", "k", "a", 5],
      ["R", "k", null, 7],
      ["L", "k", null, 3],
    ]
    for (const one of sent) {
      send(driver, one)
      await driver.run()
    }
    const inner = [
      ["k", "A+a", 10],
      ["k", null, 10],
    ]
    const outer = [
      ["k", "A+-", 10],
      ["k", "A+a", 10],
      ["k", "A+-", 10],
      ["k", null, 3],
    ]
    expect(results(driver)).toEqual(kind === "inner" ? inner : outer)
  },
)

test.each(CASES)(
  "J5 J6 J7: null from the callback is no result; null keys are dropped; %s join as %s",
  async (kind, _, options) => {
    const { rows, driver } = await joined(
      kind,
      options,
      [
        ["L", "k", "no", 1],
        ["R", "k", "a", 2],
        ["L", "k", "B", 3],
        ["L", "k", "no", 4],
        ["R", "k", "b", 5],
        ["R", "other", null, 6],
        ["L", null, "C", 7],
      ],
      (left, right) => (left === "no" ? (null as never) : show(left, right)),
    )
    expect(rows).toEqual([
      ["k", "B+a", 3],
      ["k", null, 4],
    ])
    expect(driver.dropped["null-key"]).toBe(1)
  },
)

test.each(CASES)(
  "J5 J6 J7: a lookup finds what changes told, before and after a crash; %s join as %s",
  async (kind, _, options) => {
    const pipeline = S.pipeline("app", () => {
      const rows = S.table(Left).pipe(
        JOINS[kind]("j", S.table(Right), show, options),
        S.mapTable((row) => `${row}!`),
      )
      return [
        rows.pipe(S.toStream(), S.to(Out)),
        S.stream(Asks).pipe(
          S.leftJoinTable("ask", rows, (_, row) => row ?? "none"),
          S.to(Answers),
        ),
      ]
    })
    await using driver = await TestDriver.start(pipeline, { partitions: 3 })
    const last = new Map<string, string | null>()
    const check = async (time: number) => {
      for (const key of ["k", "l", "m"]) driver.send(Asks, { key, value: "?", timestamp: time })
      await driver.run()
      for (const { key, value } of driver.read(Out)) last.set(key, value)
      const answers = new Map(driver.read(Answers).map(({ key, value }) => [key, value]))
      for (const key of ["k", "l", "m"]) expect(answers.get(key), key).toBe(last.get(key) ?? "none")
    }
    for (const [at, [side, value]] of TABLE.entries()) {
      send(driver, [side, "k", value, 10 * at])
      send(driver, [side === "L" ? "R" : "L", "l", value, 10 * at])
      await check(10 * at + 1)
      if (at % 4 === 3) await driver.crash({ loseEngines: at % 8 === 3 })
    }
    await check(1_000)
  },
)

test.each(CASES)(
  "J5 J6 J7: what reads the row before is told what was sent; %s join as %s",
  async (kind, _, options) => {
    const pipeline = S.pipeline("app", () =>
      S.table(Left).pipe(
        JOINS[kind]("j", S.table(Right), show, options),
        S.filterTable((row) => row.includes("a") || row.includes("A")),
        S.toStream(),
        S.to(Out),
      ),
    )
    await using driver = await TestDriver.start(pipeline)
    for (const [at, [side, value]] of TABLE.entries()) {
      send(driver, [side, "k", value, at + 1])
      await driver.run()
    }
    // Neither "B+b" nor "C+c" passes, and only the first of them has something to delete.
    const beforeThat = kind === "inner" ? [] : [["k", "A+-", 3]]
    expect(results(driver)).toEqual([...beforeThat, ["k", "A+a", 4], ["k", "B+a", 5], ["k", null, 6]])
  },
)

test("J5: a table joined with what was made of it keeps its results, and deletes them", async () => {
  const left = S.table(Left)
  const with2 = left.pipe(S.joinTables("with-right", S.table(Right), show))
  expect(() => left.pipe(S.joinTables("j", with2, show))).toThrow(
    'joinTables "j": one change moves both sides, which come from one table, and the result before is not known: ' +
      'keep the results, { store: "j" }',
  )
  expect(() => left.pipe(S.joinTables("j", S.table(Left), show))).toThrow("come from one table")
  const pipeline = S.pipeline("app", () =>
    left.pipe(S.joinTables("j", with2, show, { store: "j" }), S.toStream(), S.to(Out)),
  )
  await using driver = await TestDriver.start(pipeline)
  const sent: Sent[] = [
    ["L", "k", "A", 1],
    ["R", "k", "a", 2],
    ["L", "k", "B", 3],
    ["L", "k", null, 4],
  ]
  for (const one of sent) {
    send(driver, one)
    await driver.run()
  }
  const last = results(driver).at(-1)
  expect(results(driver).map(([, value]) => value)).toContain("B+B+a")
  expect(last).toEqual(["k", null, 4])
  expect(driver.rows("j")).toEqual([])
})

test("J5: tables made from streams are joined, and joined again", async () => {
  const pipeline = S.pipeline("app", () => {
    const lengths = S.stream(Left).pipe(
      S.keyBy((value) => value[0]!),
      S.toTable("latest"),
    )
    const counts = S.stream(Right).pipe(
      S.keyBy((value) => value[0]!),
      S.count("counts"),
    )
    const both = lengths.pipe(S.joinTables("both", counts, (latest, count, key) => `${key}:${latest}:${count}`))
    const third = S.stream(Asks).pipe(
      S.keyBy((value) => value[0]!),
      S.toTable("third"),
    )
    return both.pipe(S.leftJoinTables("three", third, (row, ask) => [row, ask ?? null], { store: "three" }))
  })
  await using driver = await TestDriver.start(pipeline, { partitions: 3 })
  for (const [at, value] of ["apple", "bean", "avocado"].entries()) {
    driver.send(Left, { key: `${at}`, value, timestamp: at })
    driver.send(Right, { key: `${at}`, value, timestamp: at })
  }
  driver.send(Asks, { key: "x", value: "any", timestamp: 9 })
  await driver.run()
  const rows = driver.rows("three").map(({ key, value, timestamp }) => [key, value, timestamp])
  expect(rows.sort()).toEqual([
    ["a", ["a:avocado:2", "any"], 9],
    ["b", ["b:bean:1", null], 1],
  ])
})

test("J13: tables that cannot meet are refused, with what to do", async () => {
  const build = () => S.table(Left).pipe(S.joinTables("j", S.table(Right), show), S.toStream(), S.to(Out))
  await expect(TestDriver.start(S.pipeline("app", build), { partitions: { left: 2, right: 3 } })).rejects.toThrow(
    /same number of partitions.*left has 2, right has 3/,
  )
  const Other = S.topic("other", { key: json<string>(), value: json<string>() })
  expect(() => S.table(Left).pipe(S.joinTables("j", S.table(Other), show))).toThrow(
    'joinTables "j": keys written by string meet keys written by json, and equal ones lie in different partitions: ' +
      "make one's key anew with toStream, keyBy or mapRecord, and toTable",
  )
  const windowed = () => S.stream(Left).pipe(S.window(S.tumbling(10)), S.count("counts"))
  expect(() => windowed().pipe(S.joinTables("j", windowed(), (left, right) => left + right))).toThrow(
    'joinTables "j": a key of a window, { key, start, end }, has no codec: make',
  )
  // @ts-expect-error a stream is no table
  expect(() => S.stream(Left).pipe(S.joinTables("j", S.table(Right), show))).toThrow("joinTables takes a table")
})
