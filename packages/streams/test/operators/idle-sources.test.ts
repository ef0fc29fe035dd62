/**
 * Input partitions that have had no record for a while hold event time back no more, or follow the wall clock.
 */
import { json, string } from "@millrace/schema"
import { COMMIT_STEPS, FAULT_KINDS, TestDriver, type TestDriverOptions } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { STREAMS_METRICS } from "../../src/metrics/table.ts"

const Orders = S.topic("orders", { key: string, value: json<{ customer: string; amount: number }>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const Late = S.topic("late", { key: string, value: json<{ customer: string; amount: number }>() })

const SECOND = 1_000
/** What the clock says at the start, and about what records say. */
const START = 1_000_000 * SECOND
const emit = "on-window-close"

const bounded = S.mapRecord(({ key, value }: S.Rec<S.Windowed<string>, unknown>) => ({
  key: `${key.key}@${(key.start - START) / SECOND}-${(key.end - START) / SECOND}`,
  value,
}))

const started = (build: () => any, options: TestDriverOptions = {}) =>
  TestDriver.start(S.pipeline("app", build), { partitions: { orders: 4 }, startTimeMs: START, ...options })

/** At so many seconds from the start, into a partition. */
function order(driver: TestDriver, partition: number, customer: string, seconds: number, amount = 1): void {
  const timestamp = START + seconds * SECOND
  driver.send(Orders, { key: customer, value: { customer, amount }, timestamp, partition })
}

const results = (driver: TestDriver) => driver.read(Out).map(({ key, value }) => [key, value])

const perMinute = (options: S.SourceOptions<string, { customer: string; amount: number }>, lateTo?: S.LateTo) => () =>
  S.stream(Orders, options).pipe(
    S.keyBy(({ customer }) => customer),
    S.window(S.tumbling("1 minute", { grace: "10 seconds", emit, ...(lateTo && { lateTo }) })),
    S.count("per-minute"),
    S.toStream(),
    bounded,
    S.to(Out),
  )

/** Two customers in two of four partitions, for two minutes of their own and of the clock. */
async function twoMinutes(driver: TestDriver) {
  for (let seconds = 0; seconds < 120; seconds += 10) {
    order(driver, 0, "ann", seconds)
    order(driver, 1, "bob", seconds)
    await driver.advance(10 * SECOND)
  }
}

const FIRST_MINUTE = [
  ["ann@20-80", 6],
  ["bob@20-80", 6],
]
/** Minutes of the epoch are not those of the start. */
const PART_OF_A_MINUTE = [
  ["ann@-40-20", 2],
  ["bob@-40-20", 2],
]

test("W8: partitions without records hold windows back for ever, where nothing is said", async () => {
  await using driver = await started(perMinute({}))
  await twoMinutes(driver)
  await driver.advance(3_600 * SECOND)
  expect(results(driver)).toEqual([])
  // What they wait for is among the figures of the tasks that wait.
  const awaited = { topic: "app-per-minute-repartition", upstreamPartitions: [2, 3] }
  const waiting = driver.metrics.perTask.filter((task) => task.awaited.length > 0)
  expect(waiting.map((task) => [task.task, task.awaited])).toEqual([0, 1, 2, 3].map((at) => [`1_${at}`, [awaited]]))
  const metric = STREAMS_METRICS.metrics.find(({ name }) => name === "task_awaited_upstreams")!
  expect(metric.read(driver.metrics as never)).toContainEqual({ labels: { task: "1_0" }, value: 2 })
})

test.each<readonly [string, S.SourceOptions, TestDriverOptions]>([
  ["the source", { idleAfter: "30 seconds" }, {}],
  ["the run", {}, { idleAfterMs: 30 * SECOND }],
])("W8: partitions without records hold windows back until they are idle, as %s says", async (_, source, run) => {
  await using driver = await started(perMinute(source), run)
  await twoMinutes(driver)
  expect(results(driver).toSorted()).toEqual([...PART_OF_A_MINUTE, ...FIRST_MINUTE].toSorted())
  expect(driver.dropped.late).toBe(0)
})

test("W11: where all are idle time stands still, unless it is to follow the wall clock", async () => {
  await using driver = await started(perMinute({ idleAfter: "30 seconds" }))
  await twoMinutes(driver)
  await driver.advance(3_600 * SECOND)
  expect(results(driver)).toHaveLength(4)
})

test.each([
  ["all at once", [], false],
  ["the one that is behind first", [["bob", 90]], false],
  ["the one that is ahead first", [["ann", 30]], false],
  ["all at once, behind a chain", [], true],
] as const)("T5: windows close alike whichever partition becomes idle first: %s", async (_, last, isChain) => {
  await using driver = await started(() =>
    S.stream(Orders, { idleAfter: "30 seconds" }).pipe(
      (orders: Orders) => (isChain ? orders.pipe(S.repartition("first")) : orders),
      S.keyBy(({ customer }) => customer),
      S.window(S.tumbling("1 minute", { grace: "10 seconds", emit })),
      S.count("per-minute"),
      S.toStream(),
      bounded,
      S.to(Out),
    ),
  )
  for (const seconds of [0, 10, 30]) order(driver, 0, "ann", seconds)
  for (const seconds of [0, 10, 30, 90]) order(driver, 1, "bob", seconds)
  await driver.run()
  expect(results(driver)).toEqual([])
  await driver.advance(20 * SECOND)
  for (const [customer, seconds] of last) order(driver, customer === "ann" ? 0 : 1, customer, seconds)
  await driver.run()
  await driver.advance(15 * SECOND)
  await driver.advance(60 * SECOND)
  await driver.crash()
  const closed = ["ann@-40-20", "ann@20-80", "bob@-40-20", "bob@20-80"]
  expect(
    driver
      .read(Out)
      .map(({ key }) => key)
      .toSorted(),
  ).toEqual(closed)
  order(driver, 2, "cyd", 10)
  order(driver, 2, "cyd", 200)
  await driver.run()
  expect(driver.dropped.late).toBe(1)
  expect(results(driver)).toContainEqual(["bob@80-140", last[0]?.[0] === "bob" ? 2 : 1])
})

test("T4: what comes late from a partition that was idle is late, and goes where late records go", async () => {
  await using driver = await started(perMinute({ idleAfter: "30 seconds" }, Late))
  await twoMinutes(driver)
  order(driver, 2, "cyd", 15)
  order(driver, 2, "cyd", 100)
  await driver.run()
  expect(driver.read(Late).map(({ value, timestamp }) => [value?.customer, timestamp - START])).toEqual([
    ["cyd", 15 * SECOND],
  ])
  expect(driver.dropped.late).toBe(1)
})

test("T4: a partition that was idle and has records again holds time back again, and then is idle again", async () => {
  await using driver = await started(perMinute({ idleAfter: "30 seconds" }))
  await twoMinutes(driver)
  order(driver, 2, "cyd", 110)
  await driver.run()
  const ahead = async (seconds: number) => {
    order(driver, 0, "ann", seconds)
    order(driver, 1, "bob", seconds)
    await driver.advance(10 * SECOND)
  }
  await ahead(200)
  await ahead(201)
  expect(results(driver)).toHaveLength(4)
  await ahead(202)
  expect(results(driver).slice(4).toSorted()).toEqual([
    ["ann@80-140", 4],
    ["bob@80-140", 4],
    ["cyd@80-140", 1],
  ])
})

test("T5: that a partition is idle comes through a chain of repartitions, and behind filters", async () => {
  await using driver = await started(() =>
    S.stream(Orders, { idleAfter: "30 seconds" }).pipe(
      S.repartition("first"),
      S.filter(({ customer }) => customer !== "bob"),
      S.repartition("second", { partitions: 3 }),
      S.keyBy(({ customer }) => customer),
      S.window(S.tumbling("1 minute", { grace: "10 seconds", emit })),
      S.count("per-minute"),
      S.toStream(),
      bounded,
      S.to(Out),
    ),
  )
  await twoMinutes(driver)
  expect(results(driver)).toEqual([...PART_OF_A_MINUTE.slice(0, 1), ...FIRST_MINUTE.slice(0, 1)])
})

test("T5: a sink that a filter gives nothing is idle too, though its partition has records", async () => {
  const build = () =>
    S.stream(Orders, { idleAfter: "30 seconds" }).pipe(
      S.filter(({ amount }) => amount > 0),
      S.keyBy(({ customer }) => customer),
      S.window(S.tumbling("1 minute", { grace: "10 seconds", emit, lateTo: Late })),
      S.count("per-minute"),
      S.toStream(),
      bounded,
      S.to(Out),
    )
  await using driver = await started(build, { partitions: { orders: 3 } })
  for (let seconds = 0; seconds < 120; seconds += 10) {
    order(driver, 0, "ann", seconds)
    order(driver, 1, "bob", seconds, seconds < 10 ? 1 : 0)
    order(driver, 2, "cyd", seconds, 0)
    await driver.advance(10 * SECOND)
  }
  expect(results(driver).toSorted()).toEqual([PART_OF_A_MINUTE[0], FIRST_MINUTE[0], ["bob@-40-20", 1]].toSorted())
  order(driver, 1, "bob", 10)
  order(driver, 1, "bob", 115)
  await driver.run()
  expect(driver.read(Late).map(({ value, timestamp }) => [value?.customer, timestamp - START])).toEqual([
    ["bob", 10 * SECOND],
  ])
})

test("T5: a sink that a filter gives nothing is not idle while records wait", async () => {
  const build = () =>
    S.stream(Orders, { idleAfter: "30 seconds" }).pipe(
      S.filter(({ amount }) => amount > 0),
      S.keyBy(({ customer }) => customer),
      S.window(S.tumbling("1 minute", { emit, lateTo: Late })),
      S.count("per-minute"),
      S.toStream(),
      bounded,
      S.to(Out),
    )
  await using driver = await started(build, { partitions: { orders: 2 } })
  for (const seconds of [100, 200, 300, 400, 500]) order(driver, 0, "ann", seconds)
  for (const seconds of [1, 2, 3]) order(driver, 1, "bob", seconds, 0)
  order(driver, 1, "bob", 4)
  order(driver, 1, "bob", 25)
  for (let round = 0; round < 3; round++) {
    driver.process(1)
    await driver.commit()
    driver.clock.advance(40 * SECOND)
  }
  await driver.run()
  expect(results(driver)).toContainEqual(["bob@-40-20", 1])
  expect(driver.dropped.late).toBe(0)
})

test("T7: a partition is not idle while its records wait, however long", async () => {
  await using driver = await started(perMinute({ idleAfter: "30 seconds" }), { partitions: { orders: 2 } })
  for (const seconds of [0, 1]) order(driver, 1, "bob", seconds)
  for (const seconds of [100, 200, 300]) order(driver, 0, "ann", seconds)
  for (let round = 0; round < 2; round++) {
    driver.process(1)
    await driver.commit()
    driver.clock.advance(40 * SECOND)
  }
  await driver.run()
  expect(driver.dropped.late).toBe(0)
  expect(results(driver)).toContainEqual(["bob@-40-20", 2])
})

const following = { idleAfter: "20 seconds", whenIdle: "wall-clock" } as const

type Orders = S.Stream<string, { customer: string; amount: number }>

const HELD: ReadonlyArray<readonly [string, (orders: Orders) => S.Sink<any>, ReadonlyArray<readonly unknown[]>]> = [
  [
    "W8: tumbling windows that are emitted when they close",
    (orders) =>
      orders.pipe(S.window(S.tumbling("20 seconds", { emit })), S.count("n"), S.toStream(), bounded, S.to(Out)),
    [["ann@0-20", 2]],
  ],
  [
    "W8: sliding windows that are emitted when they close",
    (orders) =>
      orders.pipe(S.window(S.sliding("20 seconds", { emit })), S.count("n"), S.toStream(), bounded, S.to(Out)),
    [
      ["ann@-19-1", 1],
      ["ann@-17-3", 2],
      ["ann@1.001-21.001", 1],
    ],
  ],
  [
    "W8: sessions that are emitted when they close",
    (orders) =>
      orders.pipe(S.window(S.session("20 seconds", { emit })), S.count("n"), S.toStream(), bounded, S.to(Out)),
    [["ann@1-3", 2]],
  ],
  [
    "W9: changes held back until their window closes",
    (orders) =>
      orders.pipe(
        S.window(S.tumbling("20 seconds")),
        S.count("n"),
        S.suppress("final", S.untilWindowCloses()),
        S.toStream(),
        bounded,
        S.to(Out),
      ),
    [["ann@0-20", 2]],
  ],
  [
    "W10: changes held back for a time",
    (orders) => orders.pipe(S.count("n"), S.suppress("calm", S.untilTimeLimit("20 seconds")), S.toStream(), S.to(Out)),
    [["ann", 2]],
  ],
  [
    "J2: what a left join has no match for",
    (orders) =>
      orders.pipe(
        S.leftJoinStream(
          "pairs",
          orders.pipe(S.filter(({ amount }) => amount > 2)),
          { within: "20 seconds" },
          (left, right) => [left.amount, right?.amount ?? null],
        ),
        S.to(Out),
      ),
    [
      ["ann", [1, null]],
      ["ann", [2, null]],
    ],
  ],
  [
    "T5: timers",
    (orders) =>
      orders.pipe(
        S.map(({ amount }) => amount),
        S.debounceTime("calm", "20 seconds"),
        S.to(Out),
      ),
    [["ann", 2]],
  ],
  [
    "T5: rows that have a time to live",
    (orders) => orders.pipe(S.count("n", { ttl: "20 seconds" }), S.toStream(), S.to(Out)),
    [
      ["ann", 1],
      ["ann", 2],
      ["ann", null],
    ],
  ],
]

test.each(HELD)("%s, by the wall clock alone", async (_, operators, expected) => {
  await using driver = await started(() => operators(S.stream(Orders, following)))
  order(driver, 1, "ann", 1, 1)
  order(driver, 1, "ann", 3, 2)
  await driver.run()
  await driver.advance(19 * SECOND)
  const before = results(driver)
  expect(before.length).toBeLessThan(expected.length)
  await driver.advance(60 * SECOND)
  expect(results(driver)).toEqual(expected)
  expect(driver.dropped.late).toBe(0)
})

test.each(HELD)("%s, by the wall clock alone behind a repartition", async (_, operators, expected) => {
  const build = () => operators(S.stream(Orders, following).pipe(S.keyBy(({ customer }) => customer)))
  await using driver = await started(build)
  order(driver, 1, "ann", 1, 1)
  order(driver, 1, "ann", 3, 2)
  await driver.run()
  await driver.advance(60 * SECOND)
  expect(results(driver)).toEqual(expected)
  expect(driver.dropped.late).toBe(0)
})

test("T4: time that follows the wall clock stays idleAfter behind it, so that what comes soon is not late", async () => {
  await using driver = await started(() =>
    S.stream(Orders, following).pipe(
      S.window(S.tumbling("10 seconds", { emit, lateTo: Late })),
      S.count("n"),
      S.toStream(),
      bounded,
      S.to(Out),
    ),
  )
  order(driver, 0, "ann", 1)
  await driver.run()
  await driver.advance(100 * SECOND)
  order(driver, 0, "ann", 79)
  order(driver, 0, "ann", 80)
  order(driver, 0, "ann", 99)
  await driver.run()
  expect(driver.read(Late).map(({ timestamp }) => timestamp - START)).toEqual([79 * SECOND])
})

test("T4: an active topic that is merged with an idle one holds the wall clock back", async () => {
  const Slow = S.topic("slow", { key: string, value: json<{ customer: string; amount: number }>() })
  await using driver = await started(
    () =>
      S.stream(Orders, following).pipe(
        S.merge(S.stream(Slow)),
        S.window(S.tumbling("10 seconds", { emit })),
        S.count("n"),
        S.toStream(),
        bounded,
        S.to(Out),
      ),
    { partitions: 1 },
  )
  order(driver, 0, "ann", 1)
  await driver.run()
  await driver.advance(100 * SECOND)
  driver.send(Slow, { key: "ann", value: { customer: "ann", amount: 1 }, timestamp: START + 2 * SECOND })
  driver.send(Slow, { key: "ann", value: { customer: "ann", amount: 1 }, timestamp: START + 12 * SECOND })
  await driver.run()
  expect(results(driver)).toEqual([["ann@0-10", 2]])
})

test.each(COMMIT_STEPS.flatMap((step) => FAULT_KINDS.map((kind) => [kind, step] as const)))(
  "T11: that a partition is idle commits or not with all that it caused: %s at %s",
  async (kind, step) => {
    await using driver = await started(perMinute(following))
    await twoMinutes(driver)
    const before = results(driver)
    driver.clock.advance(95 * SECOND)
    driver.process()
    driver.failAt(step, kind)
    await driver.commit()
    await driver.crash({ lostEngineWrites: 2 })
    await driver.run()
    expect(results(driver).slice(before.length).toSorted()).toEqual([
      ["ann@80-140", 4],
      ["bob@80-140", 4],
    ])
    await driver.advance(600 * SECOND)
    expect(results(driver)).toHaveLength(before.length + 2)
  },
)

test("T11: a partition is idle after a restart too, and the time that it told is not taken back", async () => {
  await using driver = await started(perMinute(following, Late))
  await twoMinutes(driver)
  await driver.advance(600 * SECOND)
  await driver.crash({ loseEngines: true })
  order(driver, 3, "ann", 100)
  await driver.run()
  expect(driver.read(Late)).toHaveLength(1)
})

test("T4: what the options must be is told by name", () => {
  expect(() => S.stream(Orders, { idleAfter: 0 })).toThrow('topic "orders": idleAfter must be more than 0')
  expect(() => S.stream(Orders, { idleAfter: "soon" as never })).toThrow('topic "orders" idleAfter: "soon" is not')
  expect(() => S.stream(Orders, { whenIdle: "sleep" as never })).toThrow('whenIdle is "step-aside" or "wall-clock"')
  const twice = () => [
    S.stream(Orders, { idleAfter: "1 second" }).pipe(S.to(Out)),
    S.stream(Orders, { idleAfter: "2 seconds" }).pipe(S.to(Late)),
  ]
  expect(() => S.pipeline("app", twice)).toThrow("is read twice with different options")
})
