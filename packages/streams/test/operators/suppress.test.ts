/** suppress, row by row (reference 1.4, W9 to W12). */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Sent = readonly [key: string, value: number | null, timestamp: number]

async function outputs(build: () => S.Sink<never>, input: readonly Sent[]) {
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const [key, value, timestamp] of input) driver.send(In, { key, value, timestamp })
  await driver.run()
  return driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])
}

const summed = {
  init: () => ({ sum: 0 }),
  add(all: { sum: number }, value: number) {
    all.sum += value
    return value < 0 ? (null as never) : all
  },
  merge: (left: { sum: number }, right: { sum: number }) => ({ sum: left.sum + right.sum }),
}

const final = (windows: S.TimeWindows | S.SlidingWindows | S.SessionWindows, limits?: S.BufferLimits) => () =>
  S.stream(In).pipe(
    S.window(windows as S.SessionWindows),
    S.aggregate("sums", summed),
    S.mapTable(({ sum }) => sum),
    S.suppress("final", S.untilWindowCloses(limits)),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}-${key.end}`, value })),
    S.to(Out),
  )

test("W9: a window's last change is sent once stream time less grace reaches its end", async () => {
  const input: Sent[] = [
    ["a", 1, 5],
    ["b", 1, 14],
    ["a", 2, 8],
    ["b", 2, 15],
    ["c", 1, 25],
  ]
  expect(await outputs(final(S.tumbling(10, { grace: 5 })), input)).toEqual([
    ["a@0-10", 3, 8],
    ["b@10-20", 3, 15],
  ])
})

test("W9: windows go in the order of their ends, then of their keys", async () => {
  const input: Sent[] = [
    ["b", 1, 15],
    ["a", 1, 16],
    ["c", 1, 3],
    ["z", 0, 100],
  ]
  const rows = await outputs(final(S.tumbling(10, { grace: 20 })), input)
  expect(rows.map(([key]) => key)).toEqual(["c@0-10", "a@10-20", "b@10-20"])
})

test("W9: a window that was deleted sends nothing; made anew it does", async () => {
  const input: Sent[] = [
    ["a", 1, 1],
    ["a", -1, 2],
    ["b", 1, 3],
    ["b", -1, 4],
    ["b", 7, 5],
    ["z", 0, 10],
  ]
  expect(await outputs(final(S.tumbling(10)), input)).toEqual([["b@0-10", 7, 5]])
})

test("W9: a session is final when no record can join it any more, and the ones that it grew from are not sent", async () => {
  const input: Sent[] = [
    ["a", 1, 100],
    ["b", 1, 110],
    ["a", 2, 110],
    ["b", 2, 120],
    ["b", 4, 131],
  ]
  expect(await outputs(final(S.session(10)), input)).toEqual([
    ["a@100-110", 3, 110],
    ["b@110-120", 3, 120],
  ])
})

test("W9: a sliding window is final when no record can come into it any more", async () => {
  const input: Sent[] = [
    ["a", 1, 20],
    ["b", 1, 20],
    ["b", 2, 21],
  ]
  expect(await outputs(final(S.sliding(10)), input)).toEqual([
    ["a@10-20", 1, 20],
    ["b@10-20", 1, 20],
  ])
})

test("W9: a full buffer ends the run; what was deleted takes no room", async () => {
  const limited = final(S.tumbling(10), { maxRecords: 2 })
  const within: Sent[] = [
    ["a", 1, 1],
    ["a", -1, 2],
    ["b", 1, 3],
    ["c", 1, 4],
    ["c", 1, 5],
    ["z", 0, 10],
  ]
  expect(await outputs(limited, within)).toHaveLength(2)
  const beyond: Sent[] = [
    ["a", 1, 1],
    ["b", 1, 3],
    ["c", 1, 4],
  ]
  await expect(outputs(limited, beyond)).rejects.toThrow('operator "final": its buffer is full at 2 records')
  await expect(outputs(final(S.tumbling(10), { maxBytes: 10 }), beyond)).rejects.toThrow("full at 10 bytes")
})

const calm = (limit: S.Duration, options?: S.TimeLimitOptions) => () =>
  S.table(In).pipe(S.suppress("calm", S.untilTimeLimit(limit, options)), S.toStream(), S.to(Out))

test("W10: of a key the last change is sent, counted from its first; later ones do not put it off", async () => {
  const input: Sent[] = [
    ["a", 1, 100],
    ["a", 2, 105],
    ["b", 1, 107],
    ["a", 3, 109],
    ["c", 1, 110],
    ["a", 4, 111],
    ["c", 2, 117],
  ]
  expect(await outputs(calm(10), input)).toEqual([
    ["a", 3, 109],
    ["b", 1, 107],
  ])
})

test("W10: the change that moves the time is one of those that are sent; none is held back for no time", async () => {
  const input: Sent[] = [
    ["a", 1, 100],
    ["a", 2, 110],
  ]
  expect(await outputs(calm(10), input)).toEqual([["a", 2, 110]])
  expect(await outputs(calm(0), input)).toEqual(input)
})

test("W10: deletions are sent", async () => {
  const input: Sent[] = [
    ["a", 1, 100],
    ["a", null, 101],
    ["b", 1, 110],
  ]
  expect(await outputs(calm(10), input)).toEqual([["a", null, 101]])
})

test("W10: a full buffer sends what was held back first", async () => {
  const input: Sent[] = [
    ["b", 1, 100],
    ["a", 1, 101],
    ["b", 2, 102],
    ["c", 1, 103],
  ]
  expect(await outputs(calm(1_000, { maxRecords: 2 }), input)).toEqual([["b", 2, 102]])
  expect(await outputs(calm(1_000, { maxBytes: 1 }), input)).toEqual(input)
  await expect(outputs(calm(1_000, { maxRecords: 2, whenFull: "shut-down" }), input)).rejects.toThrow("is full")
})

test("W10: what follows is told the value that was sent before, not the one held back before", async () => {
  const build = () =>
    S.table(In).pipe(
      S.suppress("calm", S.untilTimeLimit(10)),
      S.keyBy((value) => (value % 2 === 0 ? "even" : "odd")),
      S.aggregate("by-parity", {
        init: () => [] as number[],
        add: (all, value) => [...all, value],
        subtract: (all, value) => all.filter((one) => one !== value),
      }),
      S.toStream(),
      S.to(Out),
    )
  const input: Sent[] = [
    ["a", 1, 100],
    ["a", 3, 105],
    ["a", 5, 110],
    ["a", 7, 120],
    ["a", 9, 130],
  ]
  const rows = await outputs(build, input)
  expect(rows.map(([, value]) => value)).toEqual([[5], [9]])
})

test("W10: a join looks up the row that was sent last", async () => {
  const Left = S.topic("left", { key: string, value: json<string>() })
  const build = () =>
    S.table(Left).pipe(
      S.leftJoinTables("j", S.table(In).pipe(S.suppress("calm", S.untilTimeLimit(10))), (left, row) => [
        left,
        row ?? 0,
      ]),
      S.toStream(),
      S.to(Out),
    )
  await using driver = await TestDriver.start(S.pipeline("app", build))
  driver.send(In, { key: "a", value: 1, timestamp: 100 })
  driver.send(In, { key: "a", value: 2, timestamp: 110 })
  driver.send(In, { key: "a", value: 3, timestamp: 112 })
  driver.send(Left, { key: "a", value: "x", timestamp: 115 })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([["x", 2]])
})

test("W11: without later records nothing is sent", async () => {
  expect(await outputs(calm(10), [["a", 1, 100]])).toEqual([])
  expect(await outputs(final(S.tumbling(10)), [["a", 1, 1]])).toEqual([])
})

test("W12: a versioned table is refused", () => {
  const versioned = S.table(In, { versioned: { history: "1 hour" } })
  expect(() => versioned.pipe(S.suppress("s", S.untilTimeLimit(10)))).toThrow('suppress "s": a versioned table')
})

test("suppress says what it takes", () => {
  const table = S.table(In)
  // @ts-expect-error a table without windows never closes one
  expect(() => table.pipe(S.suppress("s", S.untilWindowCloses()))).toThrow("takes a table over windows")
  const unlimited = S.stream(In).pipe(S.window(S.unlimited()), S.count("n"))
  expect(() => unlimited.pipe(S.suppress("s", S.untilWindowCloses()))).toThrow("an unlimited window never closes")
  expect(() => S.untilTimeLimit(10, { maxRecords: 0 })).toThrow("maxRecords is a whole number from 1 on")
  expect(() => S.untilTimeLimit(10, { whenFull: "wait" as never })).toThrow("whenFull is")
})
