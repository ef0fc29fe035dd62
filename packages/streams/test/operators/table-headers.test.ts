/** Tables that keep the headers of records (S3), and what headers results have. */
import { json, string } from "@millrace/schema"
import { describe, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { any, In, of, Other, Out, rows, send, type Sent, started, told, written } from "./headed.ts"

describe("tables", () => {
  const records: Sent[] = [
    ["a", 1, 1, "x", "y"],
    ["b", 2, 2],
    ["a", 3, 3, "z"],
    ["b", null, 4, "w"],
  ]

  test.each<readonly [string, () => any, S.PipelineOptions]>([
    ["a topic", () => S.table(In, { store: "rows", headers: true }), {}],
    ["a stream", () => S.stream(In).pipe(S.toTable("rows", { headers: true })), {}],
    ["a topic, for a time", () => S.table(In, { store: "rows", headers: true, ttl: 100 }), {}],
    ["a topic, as the pipeline says", () => S.table(In, { store: "rows" }), { headers: true }],
  ])("S3: a table of %s keeps the headers of its records, and its changes carry them", async (_, table, options) => {
    await using driver = await started(() => table().pipe(S.toStream(), S.to(Out)), options)
    send(driver, ...records)
    await driver.run()
    expect(written(driver)).toEqual([
      ["a", 1, "x", "y"],
      ["b", 2],
      ["a", 3, "z"],
      ["b", null, "w"],
    ])
    expect(rows(driver, "rows")).toEqual([["a", 3, ["z"]]])
    await driver.crash({ loseEngines: true })
    expect(rows(driver, "rows")).toEqual([["a", 3, ["z"]]])
  })

  test.each<readonly [string, () => any, S.PipelineOptions]>([
    ["a table that is not told to", () => S.table(In, { store: "rows" }), {}],
    ["a table that is told not to", () => S.table(In, { store: "rows", headers: false }), { headers: true }],
    ["a versioned table", () => S.table(In, { store: "rows", versioned: { history: 100 } }), { headers: true }],
  ])("S3: %s keeps none", async (_, table, options) => {
    await using driver = await started(() => table().pipe(S.toStream(), S.to(Out)), options)
    send(driver, ...records)
    await driver.run()
    expect(written(driver)).toEqual([
      ["a", 1],
      ["b", 2],
      ["a", 3],
      ["b", null],
    ])
    for (const { headers } of driver.rows("rows")) expect(headers).toBeUndefined()
  })

  test("S3: versions and headers are not kept together", () => {
    expect(() => S.table(In, { headers: true, versioned: { history: 100 } })).toThrow(
      'table "in": versions keep no headers',
    )
  })

  test("S3: what is derived from a table carries its headers on, and keeps them in a store of its own; aggregates and joins have none", async () => {
    const derived = S.topic("derived", { key: string, value: json<any>() })
    const counted = S.topic("counted", { key: string, value: json<any>() })
    const joined = S.topic("joined", { key: string, value: json<any>() })
    await using driver = await started(
      () => {
        const table = S.table(In, { store: "rows" })
        const mapped = table.pipe(
          S.filterTable((value) => value > 1),
          S.mapTable((value) => value * 10, { store: "tens" }),
        )
        const passing = table.pipe(S.filterTable((value) => value < 3, { store: "passing" }))
        const both = table.pipe(S.joinTables("both", S.table(Other), (left, right) => left + right, { store: "sums" }))
        return [
          mapped.pipe(S.toStream(), S.to(derived)),
          table.pipe(
            S.keyBy(() => "all"),
            S.count("counts"),
            S.toStream(),
            S.to(counted),
          ),
          passing.pipe(S.toStream(), S.to(Out)),
          both.pipe(S.toStream(), S.to(joined)),
        ]
      },
      { headers: true },
    )
    driver.send(Other, { key: "a", value: 100, timestamp: 0, headers: of("other") })
    send(driver, ["a", 1, 1, "x"], ["a", 3, 3, "z"], ["a", 1, 4, "w"], ["b", 4, 5, "v", "u"])
    await driver.run()
    const all = (topic: typeof derived) => driver.read(topic).map(({ value, headers }) => [value, ...told(headers)!])
    expect(all(derived)).toEqual([
      [30, "z"],
      [null, "w"],
      [40, "v", "u"],
    ])
    expect(all(counted)).toEqual([[1], [1], [1], [2]])
    expect(all(joined)).toEqual([[101], [103], [101]])
    expect(rows(driver, "rows")).toEqual([
      ["a", 1, ["w"]],
      ["b", 4, ["v", "u"]],
    ])
    expect(rows(driver, "tens")).toEqual([["b", 40, ["v", "u"]]])
    expect(rows(driver, "passing")).toEqual([["a", 1, ["w"]]])
    expect(rows(driver, "sums")).toEqual([["a", 101, undefined]])
  })

  test("S3 W10: what was held back is sent with the headers of the last change", async () => {
    await using driver = await started(() =>
      S.table(In, { headers: true }).pipe(S.suppress("calm", S.untilTimeLimit(10)), S.toStream(), S.to(Out)),
    )
    send(driver, ["a", 1, 1, "x"], ["a", 2, 2, "y", "z"], ["b", 3, 5])
    await driver.run()
    expect(rows(driver, "calm").map(([key, , headers]) => [key, headers])).toEqual([
      ["a", ["y", "z"]],
      ["b", []],
    ])
    await driver.crash({ loseEngines: true })
    send(driver, ["c", 4, 30, "w"])
    await driver.run()
    expect(written(driver)).toEqual([
      ["a", 2, "y", "z"],
      ["b", 3],
    ])
  })

  /** What a processor is told of tables' rows, for each key that it is asked for. */
  const reading = (tables: Record<string, S.Table<string, any>>) =>
    S.stream(Other).pipe(
      S.processValues("read", { tables, value: any }, (context) => ({
        process: ({ key }) =>
          context.forward(
            Object.values(context.tables).map((one) => {
              const { value, timestamp, headers } = one.getStamped(key)
              return [value ?? null, timestamp, ...(told(headers) ?? [])]
            }),
          ),
      })),
      S.to(Out),
    )

  test("S3: a processor reads the headers of rows, of tables without a store too; where there is no row there are none", async () => {
    const table = S.table(In, { headers: true })
    const positive = table.pipe(S.filterTable((value) => value > 0))
    const tens = positive.pipe(S.mapTable((value) => (value === 5 ? null : value * 10)))
    await using driver = await started(() => reading({ table, positive, tens }))
    send(driver, ["a", 1, 1, "x"], ["b", 2, 1], ["c", -3, 1, "y"], ["d", 5, 1, "z"])
    for (const key of ["a", "b", "c", "d", "e"]) driver.send(Other, { key, value: 0, timestamp: 2 })
    await driver.run()
    const none = [null, -1]
    expect(driver.read(Out).map(({ value }) => value)).toEqual([
      [
        [1, 1, "x"],
        [1, 1, "x"],
        [10, 1, "x"],
      ],
      [
        [2, 1],
        [2, 1],
        [20, 1],
      ],
      [[-3, 1, "y"], none, none],
      [[5, 1, "z"], [5, 1, "z"], none],
      [none, none, none],
    ])
  })

  test("S3: of a key that is held back the value is read that was sent last, without time and headers", async () => {
    await using driver = await started(() =>
      reading({ calm: S.table(In, { headers: true }).pipe(S.suppress("calm", S.untilTimeLimit(10))) }),
    )
    const ask = (key: string, timestamp: number) => driver.send(Other, { key, value: 0, timestamp })
    send(driver, ["a", 1, 1, "x"], ["c", 3, 20, "w"])
    ask("a", 21)
    send(driver, ["a", 2, 22, "y"])
    ask("a", 23)
    ask("c", 23)
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value[0])).toEqual([
      [1, 1, "x"],
      [1, -1],
      [null, -1],
    ])
  })
})

test("S3 P7: a processor reads the headers of a global table's rows, where it keeps them", async () => {
  for (const headers of [true, false]) {
    await using driver = await started(() =>
      S.stream(Other).pipe(
        S.processValues("read", { tables: { all: S.globalTable(In, { headers }) }, value: any }, (context) => ({
          process: ({ key }) => context.forward(told(context.tables.all.getStamped(key).headers) ?? "none"),
        })),
        S.to(Out),
      ),
    )
    send(driver, ["a", 1, 1, "x"], ["a", 2, 2, "y", "z"])
    driver.send(Other, { key: "a", value: 0, timestamp: 3 })
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value)).toEqual([headers ? ["y", "z"] : "none"])
  }
})

describe("results", () => {
  test("S3: a stream joined with a table has the stream's headers", async () => {
    await using driver = await started(
      () =>
        S.stream(Other).pipe(
          S.joinTable("join", S.table(In), (left, right) => left + right),
          S.to(Out),
        ),
      { headers: true },
    )
    send(driver, ["a", 1, 1, "row"])
    driver.send(Other, { key: "a", value: 10, timestamp: 2, headers: of("stream") })
    await driver.run()
    expect(written(driver)).toEqual([["a", 11, "stream"]])
  })

  test("S3: two streams joined have the headers of the record that arrived last; without a match there are none, and their windows keep none", async () => {
    await using driver = await started(
      () =>
        S.stream(In).pipe(
          S.leftJoinStream("join", S.stream(Other), { within: 10 }, (left, right) => [left, right ?? null]),
          S.to(Out),
        ),
      { headers: true },
    )
    const other = (value: number, timestamp: number, header: string) =>
      driver.send(Other, { key: "a", value, timestamp, headers: of(header) })
    send(driver, ["a", 1, 1, "l1"], ["a", 2, 3, "l2"], ["a", 3, 50, "l3"], ["a", 4, 99, "l4"])
    other(10, 2, "r1")
    await driver.run()
    expect(written(driver)).toEqual([
      ["a", [1, 10], "r1"],
      ["a", [2, 10], "l2"],
      ["a", [3, null]],
    ])
    for (const side of ["left", "right"]) {
      const kept = driver.cluster.logs(`app-join-${side}-changelog`)[0]!.committed(0)
      expect(kept.length).toBeGreaterThan(0)
      expect(kept.flatMap(({ headers }) => headers)).toEqual([])
    }
  })
})
