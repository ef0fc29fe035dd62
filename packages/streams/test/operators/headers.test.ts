/** Stores of processors that keep the headers of records (S3). */
import { json, string } from "@millrace/schema"
import { assertCommitBoundariesDoNotMatter, inputs } from "@millrace/testing"
import { describe, expect, expectTypeOf, test } from "vitest"
import * as S from "../../src/index.ts"
import { any, In, of, Out, rows, send, started, told } from "./headed.ts"

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
