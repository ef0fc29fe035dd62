/**
 * cogroup: several streams, one aggregate, plain and over windows and sessions (reference row A6, KIP-150).
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Views = S.topic("views", { key: string, value: json<string>() })
const Orders = S.topic("orders", { key: string, value: json<{ readonly customer: string; readonly amount: number }>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Step = readonly [topic: "views" | "orders", key: string | null, value: any, timestamp: number]

const both = () =>
  S.cogroup("both", {
    views: S.stream(Views),
    orders: S.stream(Orders).pipe(S.keyBy((order) => order.customer)),
  })

const add = {
  views: (told: string[], page: string) => [...told, page],
  orders: (told: string[], { amount }: { amount: number }, key: unknown) => [
    ...told,
    `${amount} of ${typeof key === "string" ? key : (key as S.Windowed<string>).key}`,
  ],
}

async function outputs(build: () => S.Sink<never>, steps: readonly Step[]) {
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const [topic, key, value, timestamp] of steps) {
    driver.send(topic === "views" ? Views : Orders, { key: key as string, value, timestamp })
    await driver.run()
  }
  return { driver, rows: driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp]) }
}

const STEPS: readonly Step[] = [
  ["views", "ann", "shoes", 1],
  ["orders", "1", { customer: "ann", amount: 5 }, 3],
  ["views", "bob", "hats", 4],
  ["views", "ann", "socks", 2],
  ["views", null, "hats", 5],
  ["views", "ann", null, 6],
  ["orders", "2", { customer: "ann", amount: 7 }, 12],
]

test("A6: each stream adds to the one aggregate by a callback of its own; null keys and values are dropped", async () => {
  const { driver, rows } = await outputs(
    () => both().pipe(S.aggregate("told", { init: (): string[] => [], add }), S.toStream(), S.to(Out)),
    STEPS,
  )
  expect(rows).toEqual([
    ["ann", ["shoes"], 1],
    ["ann", ["shoes", "5 of ann"], 3],
    ["bob", ["hats"], 4],
    ["ann", ["shoes", "5 of ann", "socks"], 3],
    ["ann", ["shoes", "5 of ann", "socks", "7 of ann"], 12],
  ])
  expect(driver.dropped).toMatchObject({ "null-key": 1, tombstone: 1 })
  // Only the stream whose key changed is repartitioned, through a topic of its own.
  expect([...driver.cluster.topics].filter((topic) => topic.endsWith("repartition"))).toEqual([
    "app-both-orders-repartition",
  ])
})

const flatKey = ({ key, value }: S.Rec<S.Windowed<string>, unknown>) => ({
  key: `${key.key}@${key.start}-${key.end}`,
  value,
})

test("A6: over windows, with late records of either stream dropped", async () => {
  const { driver, rows } = await outputs(
    () =>
      both().pipe(
        S.window(S.tumbling(10)),
        S.aggregate("told", { init: (): string[] => [], add }),
        S.toStream(),
        S.mapRecord(flatKey),
        S.to(Out),
      ),
    [...STEPS, ["views", "ann", "late", 9]],
  )
  expect(rows.at(-1)).toEqual(["ann@10-20", ["7 of ann"], 12])
  expect(rows.at(-2)).toEqual(["ann@0-10", ["shoes", "5 of ann", "socks"], 3])
  expect(driver.dropped.late).toBe(1)
})

test("A6: over sessions, which merge", async () => {
  const { rows } = await outputs(
    () =>
      both().pipe(
        S.window(S.session(4, { grace: 20 })),
        S.aggregate("told", {
          init: (): string[] => [],
          add,
          merge: (left, right) => [...left, ...right],
        }),
        S.toStream(),
        S.mapRecord(flatKey),
        S.to(Out),
      ),
    [
      ["views", "ann", "shoes", 1],
      ["orders", "1", { customer: "ann", amount: 5 }, 8],
      ["views", "ann", "socks", 4],
    ],
  )
  expect(rows).toEqual([
    ["ann@1-1", ["shoes"], 1],
    ["ann@8-8", ["5 of ann"], 8],
    ["ann@1-8", ["shoes", "5 of ann", "socks"], 8],
  ])
})

test("A6: topics of a cogroup must have the same number of partitions", async () => {
  const pipeline = S.pipeline("app", () =>
    S.cogroup("both", { views: S.stream(Views), orders: S.stream(Orders) }).pipe(S.count("n")),
  )
  await expect(TestDriver.start(pipeline, { partitions: { views: 2, orders: 3 } })).rejects.toThrow(
    /same number of partitions.*orders has 3, views has 2/,
  )
})

test("A6: what is wrong is refused by name", () => {
  expect(() => S.cogroup("none", {})).toThrow('cogroup "none": give it streams, by name')
  expect(() => S.cogroup("tables", { rows: S.table(Views) } as never)).toThrow(
    'cogroup "tables", rows takes a stream, got a table',
  )
  expect(() => both().pipe(S.aggregate("told", { init: () => 0, add: () => 0 } as never))).toThrow(
    'aggregate "told": over cogroup "both" add has a callback for each stream: { views, orders }',
  )
  // @ts-expect-error values of several types have no sum of one
  expect(() => both().pipe(S.reduce("least", (left) => left))).toThrow('reduce "least": takes one stream')
})
