/** Rows of windows that are kept for those who read, longer than records may change them. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { describeJson } from "../../src/topology/describe.ts"

const In = S.topic("in", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<string | null>() })
const Late = S.topic("late", { key: string, value: json<string>() })

const common = { grace: 5, lateTo: Late } as const
const CLOSING = "on-window-close"

const WINDOWS: ReadonlyArray<readonly [name: string, windows: (emit: S.Emit) => S.TimeWindows]> = [
  ["tumbling", (emit) => S.tumbling(10, { ...common, emit })],
  ["hopping", (emit) => S.hopping(10, { ...common, emit, advance: 5 })],
  ["sliding", (emit) => S.sliding(10, { ...common, emit }) as never],
  ["session", (emit) => S.session(10, { ...common, emit }) as never],
]

const build = (windows: S.TimeWindows, retention?: S.Duration) => () =>
  S.stream(In).pipe(
    S.window(windows as never as S.SessionWindows),
    S.aggregate("w", {
      init: () => "",
      add: (all: string, value: string) => all + value,
      merge: (left: string, right: string) => left + right,
      value: json<string>(),
      ...(retention !== undefined && { retention }),
    }),
    S.toStream(),
    S.tombstones(),
    S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}-${key.end}`, value })),
    S.to(Out),
  )

/** "l" is late for all windows, and within a retention of 200. */
const INPUT: ReadonlyArray<readonly [key: string, value: string, timestamp: number]> = [
  ["a", "1", 3],
  ["a", "2", 8],
  ["a", "3", 41],
  ["a", "l", 6],
  ["a", "4", 44],
  ["a", "5", 90],
  ["a", "l", 40],
  ["a", "6", 95],
  ["b", "7", 130],
]

async function processed(windows: S.TimeWindows, retention?: S.Duration) {
  const driver = await TestDriver.start(S.pipeline("app", build(windows, retention)))
  for (const [key, value, timestamp] of INPUT) {
    driver.send(In, { key, value, timestamp })
    await driver.run()
  }
  return driver
}

const told = (driver: TestDriver) => ({
  sent: driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp]),
  late: driver.read(Late).map(({ value, timestamp }) => [value, timestamp]),
  dropped: driver.dropped,
})

const rowsOf = (driver: TestDriver): string => JSON.stringify(driver.rows("w"))

const CASES = WINDOWS.flatMap(([name, windows]) =>
  (["on-window-update", CLOSING] as const).map((emit) => [`${name}, ${emit}`, windows(emit)] as const),
)

test.each(CASES)("W6: %s: a longer retention changes neither what is late nor what is sent", async (_, windows) => {
  await using brief = await processed(windows)
  await using long = await processed(windows, 200)
  expect(told(long)).toEqual(told(brief))
  expect(told(long).late).toEqual([
    ["l", 6],
    ["l", 40],
  ])
  // The first window's row.
  expect(rowsOf(brief)).not.toContain('"12"')
  expect(rowsOf(long)).toContain('"12"')
  await long.crash({ loseEngines: true })
  await long.run()
  expect(rowsOf(long)).toContain('"12"')
  long.send(In, { key: "b", value: "8", timestamp: 500 })
  await long.run()
  expect(rowsOf(long)).not.toContain('"12"')
})

test.each(CASES)("W6: %s: a retention of size and grace is what there is without one", async (_, windows) => {
  await using without = await processed(windows)
  await using least = await processed(windows, 15)
  expect([told(least), rowsOf(least)]).toEqual([told(without), rowsOf(without)])
})

test("W6: a window is read until stream time is its start and its retention, a session until its end and that", async () => {
  const count = (windows: S.TimeWindows) => () =>
    S.stream(In).pipe(S.window(windows), S.count("n", { retention: 100 }), S.toStream(), flat, S.to(Out))
  const flat = S.mapRecord(({ key, value }: S.Rec<S.Windowed<string>, number>) => ({ key: key.key, value: `${value}` }))
  for (const [windows, lastAt] of [
    [S.tumbling(10), 109],
    [S.sliding(10), 110],
    [S.session(10) as never, 113],
  ] as ReadonlyArray<readonly [S.TimeWindows, number]>) {
    await using driver = await TestDriver.start(S.pipeline("app", count(windows)))
    const there = async (timestamp: number) => {
      driver.send(In, { key: "z", value: "", timestamp })
      await driver.run()
      return driver.rows("n").some(({ key }) => key === "a")
    }
    const start = windows._kind === ("sliding" as never) ? 21 : 13
    driver.send(In, { key: "a", value: "", timestamp: start })
    expect([await there(lastAt), await there(lastAt + 1)], windows._kind).toEqual([true, false])
  }
})

test("a window that has closed is asked for", async () => {
  await using driver = await processed(S.tumbling(10, { ...common, emit: CLOSING }), 200)
  const { partitions } = driver.query("w", { kind: "windows", key: "a", from: 0, to: 9 })
  expect(partitions.get(0)).toMatchObject({
    ok: true,
    result: { rows: [{ key: { key: "a", start: 0, end: 10 }, value: "12", timestamp: 8 }] },
  })
})

test("a retention that is too short names the three", () => {
  const counted = (windows: S.TimeWindows, retention: S.Duration) => () =>
    S.stream(In).pipe(S.window(windows), S.count("n", { retention }))
  expect(counted(S.tumbling(10, { grace: 5 }), 14)).toThrow(
    'count "n": a retention of 14 ms is less than size and grace, 10 ms and 5 ms',
  )
  expect(counted(S.session(10, { grace: 5 }) as never, 14)).toThrow("gap and grace, 10 ms and 5 ms")
  expect(counted(S.sliding(10, { grace: 5 }) as never, 14)).toThrow("difference and grace, 10 ms and 5 ms")
  expect(counted(S.unlimited(), "1 day")).toThrow("kept for ever")
  expect(() => S.stream(In).pipe(S.count("n", { retention: 5 } as never))).toThrow("a retention is for windows")
})

test("the description tells the retention", () => {
  const described = WINDOWS.map(([, windows]) => {
    const { plan } = S.pipeline("app", build(windows("on-window-update"), 200))
    return describeJson(S.makeTopology(plan, "app")).subtopologies[0]!.stores[0]!.retentionMs
  })
  expect(described).toEqual([200, 200, 200, 200])
})
