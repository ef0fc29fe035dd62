/**
 * Event time where no record brings it: told by time marks, through repartitions, filters and what holds records back.
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { Effect } from "effect"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

interface Event {
  readonly to: string
  readonly amount: number
}

const In = S.topic("in", { key: string, value: json<Event>() })
const Prices = S.topic("prices", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

const SECOND = 1_000
const emit = "on-window-close"

const bounded = S.mapRecord(({ key, value }: S.Rec<S.Windowed<string>, unknown>) => ({
  key: `${key.key}@${key.start / SECOND}-${key.end / SECOND}`,
  value,
}))

type Sent = readonly [seconds: number, to: string, amount?: number]

/** Sends to each of two partitions what is said, one transaction for each step. */
async function play(driver: TestDriver, ...steps: ReadonlyArray<{ readonly [partition: number]: readonly Sent[] }>) {
  for (const step of steps) {
    for (const [partition, sent] of Object.entries(step)) {
      for (const [seconds, to, amount = 1] of sent) {
        const record = { key: "k", value: { to, amount }, timestamp: seconds * SECOND, partition: Number(partition) }
        driver.send(In, record)
      }
    }
    await driver.run()
  }
}

const results = (driver: TestDriver) => driver.read(Out).map(({ key, value }) => [key, value])

const started = (build: () => S.Sink<any>, partitions: { readonly [topic: string]: number } = { in: 2, prices: 2 }) =>
  TestDriver.start(S.pipeline("app", build), { partitions })

const byTo = () => S.stream(In).pipe(S.keyBy(({ to }) => to))

/** x and y lie in different partitions: x has one record from each task, and is told the rest of the time by marks alone. */
const MARKED = [
  { 0: [[1, "x"]], 1: [[2, "x", 2]] },
  { 0: [[60, "y"]], 1: [[61, "y"]] },
] as const satisfies ReadonlyArray<{ readonly [partition: number]: readonly Sent[] }>

const isOfX = ([key]: readonly unknown[]) => String(key).startsWith("x")

test.each<readonly [string, () => S.Sink<any>, ReadonlyArray<readonly [string, unknown]>]>([
  [
    "W8: tumbling windows that are emitted when they close",
    () => byTo().pipe(S.window(S.tumbling("10 seconds", { emit })), S.count("n"), S.toStream(), bounded, S.to(Out)),
    [["x@0-10", 2]],
  ],
  [
    "W8: sliding windows that are emitted when they close",
    () => byTo().pipe(S.window(S.sliding("10 seconds", { emit })), S.count("n"), S.toStream(), bounded, S.to(Out)),
    [
      ["x@0-10", 2],
      ["x@1.001-11.001", 1],
    ],
  ],
  [
    "W8: sessions that are emitted when they close",
    () => byTo().pipe(S.window(S.session("10 seconds", { emit })), S.count("n"), S.toStream(), bounded, S.to(Out)),
    [["x@1-2", 2]],
  ],
  [
    "W9: changes held back until their window closes",
    () =>
      byTo().pipe(
        S.window(S.tumbling("10 seconds")),
        S.count("n"),
        S.suppress("final", S.untilWindowCloses()),
        S.toStream(),
        bounded,
        S.to(Out),
      ),
    [["x@0-10", 2]],
  ],
  [
    "W10: changes held back for a time",
    () => byTo().pipe(S.count("n"), S.suppress("calm", S.untilTimeLimit("10 seconds")), S.toStream(), S.to(Out)),
    [["x", 2]],
  ],
  [
    "J2: what a left join has no match for",
    () =>
      byTo().pipe(
        S.leftJoinStream(
          "pairs",
          byTo().pipe(S.filter(({ amount }) => amount > 2)),
          { within: "5 seconds" },
          (left, right) => [left.amount, right?.amount ?? null],
        ),
        S.to(Out),
      ),
    [
      ["x", [1, null]],
      ["x", [2, null]],
    ],
  ],
  [
    "J10: records that wait for rows of a versioned table",
    () =>
      byTo().pipe(
        S.leftJoinTable(
          "priced",
          S.table(Prices, { versioned: { history: "1 minute" } }),
          ({ amount }, price) => [amount, price ?? null],
          { grace: "5 seconds" },
        ),
        S.to(Out),
      ),
    [
      ["x", [1, null]],
      ["x", [2, null]],
    ],
  ],
  [
    "T5: rows that have a time to live",
    () => byTo().pipe(S.count("n", { ttl: "10 seconds" }), S.toStream(), S.to(Out)),
    [
      ["x", 1],
      ["x", 2],
      ["x", null],
    ],
  ],
  [
    "T5: timers",
    () =>
      byTo().pipe(
        S.map(({ amount }) => amount),
        S.debounceTime("calm", "10 seconds"),
        S.to(Out),
      ),
    [["x", 2]],
  ],
])("%s, by time marks alone", async (_, build, expected) => {
  await using driver = await started(build)
  await play(driver, ...MARKED)
  expect(results(driver).filter(isOfX)).toEqual(expected)
})

test("T5: time comes through a second repartition behind a filter that lets nothing pass", async () => {
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.repartition("first"),
      S.filter(({ to }) => to === "x"),
      S.keyBy(({ to }) => to),
      S.window(S.tumbling("10 seconds", { emit })),
      S.count("n"),
      S.toStream(),
      bounded,
      S.to(Out),
    ),
  )
  await play(driver, { 0: [[1, "x"]], 1: [[2, "x"]] })
  expect(results(driver)).toEqual([])
  await play(driver, { 0: [[9, "y"]], 1: [[60, "y"]] })
  expect(results(driver)).toEqual([])
  await play(driver, { 0: [[11, "y"]] })
  expect(results(driver)).toEqual([["x@0-10", 2]])
})

test("T5: what is held back on the way is in time for windows behind a second repartition", async () => {
  await using driver = await started(() =>
    byTo().pipe(
      S.window(S.tumbling("10 seconds", { grace: "5 seconds", emit })),
      S.count("n"),
      S.toStream(),
      S.keyBy((_, { key }) => key.key),
      S.window(S.tumbling("20 seconds", { emit })),
      S.aggregate("parts", { init: (): number[] => [], add: (all, one) => [...all, one] }),
      S.toStream(),
      bounded,
      S.to(Out),
    ),
  )
  const minute = Array.from({ length: 50 }, (_, at) => at + 1)
  for (const at of minute) await play(driver, { 0: [[at, "x"]], 1: [[at, at > 30 ? "y" : "x"]] })
  await play(driver, { 0: [[200, "y"]], 1: [[200, "y"]] })
  expect(results(driver).filter(isOfX)).toEqual([
    ["x@0-20", [18, 20]],
    ["x@20-40", [20, 11]],
    ["x@40-60", [10, 1]],
  ])
  expect(driver.dropped.late).toBe(0)
})

test("T5: time does not overtake records that wait for effects", async () => {
  await using driver = await started(
    () =>
      byTo().pipe(
        S.mapEffect((event) => Effect.as(Effect.sleep(event.amount), event), {
          name: "slow",
          concurrency: 4,
          timeout: 1_000,
        }),
        S.keyBy(({ to }) => to),
        S.window(S.tumbling("10 seconds")),
        S.count("n"),
        S.toStream(),
        bounded,
        S.to(Out),
      ),
    { in: 1 },
  )
  await play(driver, {
    0: [
      [1, "x", 30],
      [11, "x", 1],
      [21, "x", 20],
      [31, "x", 10],
    ],
  })
  expect(results(driver)).toEqual([
    ["x@0-10", 1],
    ["x@10-20", 1],
    ["x@20-30", 1],
    ["x@30-40", 1],
  ])
  expect(driver.dropped.late).toBe(0)
})

test("T5: of two repartitioned streams that are merged the one that lags holds time back, and is not late", async () => {
  await using driver = await started(
    () => {
      const { large, small } = S.stream(In).pipe(S.branch({ large: ({ amount }) => amount > 1, small: () => true }))
      return large.pipe(
        S.repartition("large"),
        S.merge(small.pipe(S.repartition("small"))),
        S.keyBy(({ to }) => to),
        S.window(S.tumbling("10 seconds")),
        S.count("n"),
        S.toStream(),
        bounded,
        S.to(Out),
      )
    },
    { in: 1 },
  )
  await play(driver, { 0: [[1, "x", 1]] }, { 0: [[50, "x", 2]] }, { 0: [[2, "x", 1]] }, { 0: [[51, "x", 1]] })
  expect(results(driver)).toEqual([
    ["x@0-10", 1],
    ["x@50-60", 1],
    ["x@0-10", 2],
    ["x@50-60", 2],
  ])
})

test.each(["abort", "crash"] as const)("T11: time that was told is taken back by an abort: %s", async (end) => {
  await using driver = await started(() =>
    byTo().pipe(S.window(S.tumbling("10 seconds", { emit })), S.count("n"), S.toStream(), bounded, S.to(Out)),
  )
  await play(driver, MARKED[0])
  for (const partition of [0, 1])
    driver.send(In, { key: "k", value: { to: "y", amount: 1 }, timestamp: 60 * SECOND, partition })
  driver.process()
  await driver.commit()
  // Windows close in this transaction.
  driver.process()
  if (end === "abort") await driver.abort()
  else await driver.crash()
  expect(results(driver).filter(isOfX)).toEqual([])
  await driver.run()
  expect(results(driver).filter(isOfX)).toEqual([["x@0-10", 2]])
  await driver.crash({ loseEngines: true })
  await play(driver, { 0: [[5, "x"]], 1: [[6, "x"]] })
  expect(results(driver).filter(isOfX)).toEqual([["x@0-10", 2]])
  expect(driver.dropped.late).toBe(2)
})
