/** Stores and tables that keep the headers of records (S3), and what headers results have. */
import { json, string } from "@millrace/schema"
import { assertCommitBoundariesDoNotMatter, inputs, TestDriver } from "@millrace/testing"
import { describe, expect, expectTypeOf, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Other = S.topic("other", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const any = json<any>()

const of = (...values: string[]): S.Headers => values.map((value) => ({ key: "h", value: Buffer.from(value) }))
const told = (headers: S.Headers | undefined) =>
  headers?.map(({ key, value }) => (value === null ? key : Buffer.from(value).toString()))

const started = (build: () => any, options?: S.PipelineOptions) => TestDriver.start(S.pipeline("app", build, options))

type Sent = readonly [key: string, value: number | null, timestamp: number, ...headers: string[]]
function send(driver: TestDriver, ...records: Sent[]): void {
  for (const [key, value, timestamp, ...headers] of records)
    driver.send(In, { key, value, timestamp, headers: of(...headers) })
}
const written = (driver: TestDriver) =>
  driver.read(Out).map(({ key, value, headers }) => [key, value, ...told(headers)!])
const rows = (driver: TestDriver, store: string) =>
  driver.rows(store).map(({ key, value, headers }) => [key, value, told(headers)])

describe("stores of processors", () => {
  const Last = S.keyValueStore("last", { key: string, value: json<number>(), headers: true })

  const last = () =>
    S.stream(In).pipe(
      S.process("keep", { stores: { last: Last }, timers: true, value: any }, ({ stores, timers, forward }) => ({
        process({ key, value, timestamp }) {
          const before = stores.last.getStamped(key)
          forward({ key, value: [before.value ?? null, told(before.headers)] })
          if (value === 0) stores.last.delete(key)
          else if (value < 0) stores.last.put(key, value, timestamp, of("given", "twice"))
          else stores.last.put(key, value)
          if (value === 9) timers.set(key, timestamp + 10)
        },
        onTimer: (key) => stores.last.put(key, 10),
      })),
      S.to(Out),
    )

  test("S3: a row has the headers of the record at hand, or those given; a timer's has none", async () => {
    await using driver = await started(last)
    send(driver, ["a", 1, 1, "x", "y"], ["a", -2, 2, "z"], ["a", 0, 3, "z"], ["a", 9, 4, "w"], ["b", 5, 20])
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value)).toEqual([
      [null, []],
      [1, ["x", "y"]],
      [-2, ["given", "twice"]],
      [null, []],
      [null, []],
    ])
    expect(rows(driver, "last")).toEqual([
      ["a", 10, []],
      ["b", 5, []],
    ])
  })

  test("S3: a header without a value, and two of one name, stay so", async () => {
    await using driver = await started(last)
    const headers = [{ key: "empty", value: null }, ...of("1", "2")]
    driver.send(In, { key: "a", value: 1, timestamp: 1, headers })
    await driver.run()
    await driver.crash({ loseEngines: true })
    expect(rows(driver, "last")).toEqual([["a", 1, ["empty", "1", "2"]]])
  })

  test("S3 S6: headers are in the changelog, as its records' own, and in what is restored from it", async () => {
    await using driver = await started(last)
    send(driver, ["a", 1, 1, "x"], ["b", 2, 2], ["c", 3, 3, "y"], ["c", 0, 4, "z"])
    await driver.run()
    const changelog = driver.cluster.logs("app-last-changelog")[0]!.committed(0)
    const logged = changelog.map(({ value, headers }) => [value && String(Buffer.from(value)), told(headers)])
    expect(logged.slice(0, 3)).toEqual([
      ["1", ["x"]],
      ["2", []],
      [null, []],
    ])
    for (const loseEngines of [false, true]) {
      await driver.crash({ loseEngines, lostEngineWrites: 1 })
      expect(rows(driver, "last")).toEqual([
        ["a", 1, ["x"]],
        ["b", 2, []],
      ])
    }
    send(driver, ["a", 4, 5, "q"])
    driver.process()
    driver.failAt("offsets")
    await driver.commit()
    expect(rows(driver, "last")[0]).toEqual(["a", 1, ["x"]])
    await driver.run()
    expect(rows(driver, "last")[0]).toEqual(["a", 4, ["q"]])
  })

  test("S3: windows keep headers; a range reads them of rows in the open transaction and of rows before", async () => {
    const Windows = S.windowStore("windows", { key: string, value: json<number>(), retention: 100, headers: true })
    await using driver = await started(() =>
      S.stream(In).pipe(
        S.process("keep", { stores: { last: Last, windows: Windows }, value: any }, ({ stores, forward }) => ({
          process({ key, value, timestamp }) {
            const start = Math.floor(timestamp / 10) * 10
            const { value: before, headers } = stores.windows.getStamped(key, start)
            stores.windows.put(key, start, value)
            stores.last.put(key, value)
            const all = [...stores.last.range()].map((row) => [row.key, told(row.headers)])
            forward({ key, value: [before ?? null, told(headers), all] })
          },
        })),
        S.to(Out),
      ),
    )
    send(driver, ["a", 1, 1, "x"])
    await driver.run()
    send(driver, ["a", 2, 2, "y"], ["b", 3, 15, "z"])
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value)).toEqual([
      [null, [], [["a", ["x"]]]],
      [1, ["x"], [["a", ["y"]]]],
      [
        null,
        [],
        [
          ["a", ["y"]],
          ["b", ["z"]],
        ],
      ],
    ])
    await driver.crash({ loseEngines: true })
    expect(rows(driver, "windows")).toEqual([
      ["a", 2, ["y"]],
      ["b", 3, ["z"]],
    ])
  })

  test("S3: with a ttl, and beside handlers that let a record be skipped, rows keep headers too", async () => {
    const Short = S.keyValueStore("short", { key: string, value: json<{ n: number }>(), headers: true, ttl: 10 })
    const build = () =>
      S.stream(In).pipe(
        S.processValues("keep", { stores: { short: Short }, value: any }, ({ stores, forward }) => ({
          process({ key, value }) {
            const before = stores.short.getStamped(key)
            stores.short.put(key, { n: value })
            if (value === 7) throw new Error("seven")
            forward([before.value?.n ?? null, told(before.headers)])
          },
        })),
        S.to(Out),
      )
    await using driver = await started(build, { onProcessingFailure: "skip" })
    send(driver, ["a", 1, 1, "x"], ["a", 2, 5, "y"], ["b", 3, 15, "z"], ["a", 4, 16, "w"])
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value)).toEqual([
      [null, []],
      [1, ["x"]],
      [null, []],
      [null, []],
    ])
  })

  test("S3: a store that keeps none has none, and says nothing of them", async () => {
    const Plain = S.keyValueStore("plain", { key: string, value: json<number>() })
    await using driver = await started(() =>
      S.stream(In).pipe(
        S.processValues("keep", { stores: { plain: Plain }, value: any }, ({ stores, forward }) => ({
          process({ key, value }) {
            stores.plain.put(key, value)
            forward(stores.plain.getStamped(key))
          },
        })),
        S.to(Out),
      ),
    )
    send(driver, ["a", 1, 1, "x"])
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value)).toEqual([{ value: 1, timestamp: 1 }])
    expect(driver.cluster.logs("app-plain-changelog")[0]!.committed(0)[0]!.headers).toEqual([])
    expect(rows(driver, "plain")).toEqual([["a", 1, undefined]])
  })
})

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
    send(driver, ["a", 1, 1, "x"], ["a", 3, 3, "z"], ["a", 1, 4, "w"])
    await driver.run()
    const all = (topic: typeof derived) => driver.read(topic).map(({ value, headers }) => [value, ...told(headers)!])
    expect(all(derived)).toEqual([
      [30, "z"],
      [null, "w"],
    ])
    expect(all(counted)).toEqual([[1], [1], [1]])
    expect(all(joined)).toEqual([[101], [103], [101]])
    expect(rows(driver, "rows")).toEqual([["a", 1, ["w"]]])
    expect(rows(driver, "tens")).toEqual([])
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

  test("S3: a processor reads the headers of rows, of tables without a store too", async () => {
    const table = S.table(In, { headers: true })
    const positive = table.pipe(S.filterTable((value) => value > 0))
    const tens = positive.pipe(S.mapTable((value) => value * 10))
    await using driver = await started(() =>
      S.stream(Other).pipe(
        S.processValues("read", { tables: { table, positive, tens }, value: any }, ({ tables, forward }) => ({
          process: ({ key }) =>
            forward(
              [tables.table, tables.positive, tables.tens].map((one) => {
                const { value, headers } = one.getStamped(key)
                return [value ?? null, ...(told(headers) ?? [])]
              }),
            ),
        })),
        S.to(Out),
      ),
    )
    send(driver, ["a", 1, 1, "x"], ["b", 2, 1])
    for (const key of ["a", "b", "c"]) driver.send(Other, { key, value: 0, timestamp: 2 })
    await driver.run()
    expect(driver.read(Out).map(({ value }) => value)).toEqual([
      [
        [1, "x"],
        [1, "x"],
        [10, "x"],
      ],
      [[2], [2], [20]],
      [[null], [null], [null]],
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

  test("S3: two streams joined have the headers of the record that arrived last; without a match there are none", async () => {
    await using driver = await started(() =>
      S.stream(In).pipe(
        S.leftJoinStream("join", S.stream(Other), { within: 10 }, (left, right) => [left, right ?? null]),
        S.to(Out),
      ),
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
  })
})

test("K5 S3: where transactions end does not show in headers", async () => {
  const Last = S.keyValueStore("last", { key: string, value: json<number>(), headers: true })
  const pipeline = S.pipeline("app", () => [
    S.stream(In).pipe(
      S.processValues("keep", { stores: { last: Last }, value: any }, ({ stores, forward }) => ({
        process({ key, value }) {
          const before = stores.last.getStamped(key)
          if (value % 4 === 0) stores.last.delete(key)
          else stores.last.put(key, value)
          forward(value, { headers: before.headers })
        },
      })),
      S.to(Out),
    ),
  ])
  const records = Array.from({ length: 40 }, (_, at) => {
    const headers = of(...Array.from({ length: at % 3 }, (_, n) => `${at}-${n}`))
    return { key: "abc"[at % 3]!, value: at, timestamp: at, headers }
  })
  await assertCommitBoundariesDoNotMatter(pipeline, inputs(In, ...records))
})

test("S3: stores that keep headers give and take them; others do not", () => {
  const Kept = S.keyValueStore("kept", { key: string, value: json<number>(), headers: true })
  const Windows = S.windowStore("windows", { key: string, value: json<number>(), retention: 10, headers: true })
  const Plain = S.keyValueStore("plain", { key: string, value: json<number>(), headers: false })
  expectTypeOf(Kept).toEqualTypeOf<S.StoreDefinition<S.KeyValueStateWithHeaders<string, number>>>()
  expectTypeOf(Plain).toEqualTypeOf<S.StoreDefinition<S.KeyValueState<string, number>>>()
  const table = S.table(In, { headers: true })
  S.stream(In).pipe(
    S.processValues("p", { stores: { kept: Kept, windows: Windows, plain: Plain }, tables: { table } }, (context) => ({
      process({ key, headers }) {
        const { kept, windows, plain } = context.stores
        const before: S.Headers = kept.getStamped(key).headers
        kept.put(key, 1, 2, before)
        windows.put(key, 0, 1, 2, windows.getStamped(key, 0).headers)
        for (const row of kept.range()) expectTypeOf(row.headers).toEqualTypeOf<S.Headers>()
        expectTypeOf(context.tables.table.getStamped(key).headers).toEqualTypeOf<S.Headers | undefined>()
        // @ts-expect-error it keeps none
        plain.put(key, 1, 2, headers)
        // @ts-expect-error it has none
        for (const row of plain.range()) void row.headers
      },
    })),
    S.forEach(() => {}),
  )
  // @ts-expect-error versions keep none
  S.versionedStore("versions", { history: 10, headers: true })
})
