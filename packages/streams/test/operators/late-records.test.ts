/** Late records on the side: who writes which, and what its headers say. */
import { json, type Registry, type Serde, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { bindSerdes } from "../../src/run/serdes.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Other = S.topic("other", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const Late = S.topic("late", { key: string, value: json<number>() })

const lateTo = "late"

async function started(build: () => S.Sink<never>) {
  return await TestDriver.start(S.pipeline("app", build))
}

const late = (driver: TestDriver) =>
  driver.read(Late).map(({ key, value, timestamp, headers }) => ({
    record: [key, value, timestamp],
    headers: Object.fromEntries(headers.map(({ key, value }) => [key, Buffer.from(value!).toString()])),
  }))

const counted = (windows: S.TimeWindows | S.SlidingWindows | S.SessionWindows) => () =>
  S.stream(In).pipe(
    S.map((value) => value * 1_000),
    S.window(windows as S.SessionWindows),
    S.count("n"),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({ key: key.key, value })),
    S.to(Out),
  )

const WINDOWS = [
  ["tumbling", S.tumbling(10, { grace: 5, lateTo }), 85, 5],
  ["sliding", S.sliding(10, { grace: 5, lateTo }), 84, 1],
  ["session", S.session(10, { grace: 5, lateTo }), 83, 2],
] as const

test.each(WINDOWS)("a late record of %s windows is written as it was read, with where and how late", async (...row) => {
  const [, windows, at, ms] = row
  await using driver = await started(counted(windows))
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  driver.send(In, { key: "b", value: 2, timestamp: at, headers: [{ key: "trace", value: Buffer.from("7") }] })
  await driver.run()
  expect(late(driver)).toEqual([
    {
      record: ["b", 2, at],
      headers: {
        trace: "7",
        "millrace.late.operator": "n",
        "millrace.late.ms": String(ms),
        "millrace.late.topic": "in",
        "millrace.late.partition": "0",
        "millrace.late.offset": "1",
      },
    },
  ])
  expect(driver.dropped.late).toBe(1)
})

test("a record that is late for two of its windows is written once", async () => {
  await using driver = await started(counted(S.hopping(30, { advance: 10, lateTo })))
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  driver.send(In, { key: "b", value: 2, timestamp: 75 })
  await driver.run()
  expect(late(driver).map(({ record, headers }) => [...record, headers["millrace.late.ms"]])).toEqual([
    ["b", 2, 75, "20"],
  ])
  expect(driver.dropped.late).toBe(3)
})

test("a record that a join can neither match nor keep is late; one that finds a match is not", async () => {
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.joinStream("j", S.stream(Other), { within: 10, grace: 5, lateTo }, (left, right) => [left, right]),
      S.to(Out),
    ),
  )
  driver.send(Other, { key: "a", value: 1, timestamp: 90 })
  driver.send(In, { key: "z", value: 0, timestamp: 100 })
  driver.send(In, { key: "a", value: 2, timestamp: 84 })
  driver.send(In, { key: "b", value: 3, timestamp: 84 })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([[2, 1]])
  expect(late(driver).map(({ record, headers }) => [...record, headers["millrace.late.ms"]])).toEqual([
    ["b", 3, 84, "1"],
  ])
})

test("an abort takes late records back", async () => {
  await using driver = await started(counted(S.tumbling(10, { lateTo })))
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  driver.send(In, { key: "b", value: 2, timestamp: 5 })
  driver.process()
  await driver.abort()
  expect(late(driver)).toEqual([])
  await driver.run()
  expect(late(driver)).toHaveLength(1)
})

const ordered = S.stream(In)
const windows = S.tumbling(10, { lateTo: Late })
const ended = (n: S.Table<S.Windowed<any>, any>) => n.pipe(S.toStream(), S.mapRecord(flat), S.to(Out))
const flat = ({ key, value }: S.Rec<S.Windowed<any>, any>) => ({ key: String(key.key), value })

/** Ends with a window of `windows`; whose first record of "b" is late. */
const BY_DEFINITION: ReadonlyArray<readonly [name: string, build: () => S.Sink<never>, record: readonly unknown[]]> = [
  [
    "behind map and keyBy",
    () =>
      ended(
        ordered.pipe(
          S.map((value) => value * 1_000),
          S.keyBy((value, { key }) => `${key}-${value}`),
          S.window(windows),
          S.count("n"),
        ),
      ),
    ["b-2000", 2_000, 5],
  ],
  [
    "behind an effect",
    () =>
      ended(
        ordered.pipe(
          S.mapAsync(async (value) => value + 1, { concurrency: 2, timeout: "1 second" }),
          S.window(windows),
          S.count("n"),
        ),
      ),
    ["b", 3, 5],
  ],
  [
    "of several streams",
    () =>
      ended(
        S.cogroup("c", { one: ordered, two: S.stream(Other) }).pipe(
          S.window(windows),
          S.aggregate("n", { init: () => 0, add: { one: (sum) => sum + 1, two: (sum) => sum + 1 } }),
        ),
      ),
    ["b", 2, 5],
  ],
  [
    "of a join",
    () =>
      ordered.pipe(
        S.map((value) => -value),
        S.joinStream("n", S.stream(Other), { within: 5, lateTo: Late }, (left, right) => [left, right]),
        S.to(Out),
      ),
    ["b", -2, 5],
  ],
]

test.each(BY_DEFINITION)("by its definition a topic gets the record as it stood: %s", async (_, build, record) => {
  await using driver = await started(build)
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  await driver.run()
  driver.send(In, { key: "b", value: 2, timestamp: 5, headers: [{ key: "trace", value: Buffer.from("7") }] })
  await driver.run()
  expect(late(driver).map(({ record }) => record)).toEqual([record])
  expect(late(driver)[0]!.headers).toMatchObject({ trace: "7", "millrace.late.operator": "n" })
  expect(driver.dropped.late).toBe(1)
})

test("the serdes of a definition are bound to the registry before the first record", async () => {
  const bound = { ...string, name: "bound" }
  const value: Serde<number> = { ...json<number>(), bind: async () => bound as never }
  const LateToo = S.topic("late-too", { key: string, value })
  const { plan } = S.pipeline("app", counted(S.tumbling(10, { lateTo: LateToo })))
  const serde = await bindSerdes(S.makeTopology(plan, "app"), {} as Registry)
  expect(serde(value, "late-too", false)).toBe(bound)
})

test("a late record that does not encode is a failure of the operator", async () => {
  const value: Serde<number> = {
    ...json<number>(),
    encode: (): never => {
      throw new Error("no such number")
    },
  }
  const Refusing = S.topic("late", { key: string, value })
  const build = (operator: (input: any) => any) => () =>
    ended(ordered.pipe(S.window(S.tumbling(10, { lateTo: Refusing })), operator))
  const send = async (driver: TestDriver) => {
    driver.send(In, { key: "a", value: 1, timestamp: 100 }, { key: "b", value: 2, timestamp: 5 })
    await driver.run()
  }
  await using failing = await started(build(S.count("n")))
  await expect(send(failing)).rejects.toThrow('operator "n"')
  await using skipping = await started(build(S.guard("skip", S.count("n"))))
  await send(skipping)
  expect(skipping.dropped).toMatchObject({ late: 0, skipped: 1 })
})

test("of a join, a late record by its name is written as its own side was", async () => {
  const Names = S.topic("names", { key: string, value: string })
  await using driver = await started(() =>
    ordered.pipe(
      S.reducePerCommit((_, last) => last),
      S.joinStream(
        "j",
        S.stream(Names).pipe(S.reducePerCommit((_, last) => last)),
        { within: 5, lateTo },
        (left, right) => [left, right],
      ),
      S.to(Out),
    ),
  )
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  await driver.run()
  driver.send(Names, { key: "b", value: "bob", timestamp: 5 })
  await driver.run()
  expect(driver.read(S.topic("late", { key: string, value: string })).map(({ value }) => value)).toEqual(["bob"])
})

const byName = S.tumbling(10, { lateTo })
const summed = (s: S.Stream<any, any>) => ended(s.pipe(S.window(byName), S.count("n")))
const KEYS = "keys (canonical-key)"
const VALUES = "values (packed)"

/** What would be written, and only we read. */
const BY_NAME: ReadonlyArray<readonly [name: string, build: () => S.Sink<never>, ours: string | undefined]> = [
  ["of a source", () => summed(ordered.pipe(S.map(String))), undefined],
  ["behind keyBy", () => summed(ordered.pipe(S.keyBy((value) => value))), `with ${KEYS} that`],
  [
    "behind map and keyBy",
    () =>
      summed(
        ordered.pipe(
          S.map(String),
          S.keyBy((value) => value),
        ),
      ),
    `with ${KEYS} and ${VALUES} that`,
  ],
  [
    "behind map and keyBy that names serdes",
    () =>
      summed(
        ordered.pipe(
          S.map(String),
          S.keyBy((value) => value, { key: string, value: string }),
        ),
      ),
    undefined,
  ],
  [
    "behind a repartition of values of no serde",
    () => summed(ordered.pipe(S.map(String), S.repartition("r"))),
    `with ${VALUES} that`,
  ],
  [
    "behind an effect",
    () => summed(ordered.pipe(S.mapAsync(async (value) => value, { concurrency: 1, timeout: 1_000 }))),
    `with ${VALUES} that`,
  ],
  ["behind what waits for a commit", () => summed(ordered.pipe(S.reducePerCommit((_, last) => last))), undefined],
  [
    "behind windows that are emitted when they close",
    () =>
      summed(
        ordered.pipe(
          S.window(S.tumbling(5, { emit: "on-window-close" })),
          S.count("closing"),
          S.toStream(),
          S.mapRecord(flat),
        ),
      ),
    `with ${KEYS} and ${VALUES} that`,
  ],
  [
    "of sliding windows",
    () => ended(ordered.pipe(S.keyBy(String), S.window(S.sliding(10, { lateTo })), S.count("n"))),
    `with ${KEYS} that`,
  ],
  [
    "of sessions",
    () => ended(ordered.pipe(S.keyBy(String), S.window(S.session(10, { lateTo })), S.count("n"))),
    `with ${KEYS} that`,
  ],
  [
    "of one side of a join",
    () =>
      ordered.pipe(
        S.joinStream(
          "n",
          S.stream(Other).pipe(S.repartition("r"), S.map(String), S.keyBy(String)),
          { within: 1, lateTo },
          () => 0,
        ),
        S.to(Out),
      ),
    `with ${VALUES} that`,
  ],
]

test.each(BY_NAME)("a name is for what others can read: %s", (_, build, ours) => {
  const made = () => S.pipeline("app", build)
  if (ours === undefined) made()
  else {
    expect(made).toThrow(S.PipelineError)
    expect(made).toThrow(`pipeline "app", operator "n": lateTo "late" would get the records as they were read, ${ours}`)
    expect(made).toThrow("give lateTo the topic's definition")
  }
})

test("lateTo is a topic's name or its definition", () => {
  expect(() => S.tumbling(10, { lateTo: { name: "late" } as never })).toThrow("a topic's name or its definition")
  expect(() => S.tumbling(10, { lateTo: "no name" })).toThrow("no name")
})
