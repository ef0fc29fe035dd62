/** Joins of two streams by their rows (reference 1.5, J1 to J4), within 10 unless told otherwise. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Left = S.topic("left", { key: string, value: json<string>() })
const Right = S.topic("right", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<string>() })

type Sent = readonly [side: "L" | "R", key: string | null, value: string | null, timestamp: number]
/** Their callbacks promise more sides than the outer join's. */
const inner = S.joinStream as typeof S.outerJoinStream
const left = S.leftJoinStream as typeof S.outerJoinStream
const show = (left: string | undefined, right: string | undefined) => `${left ?? "-"}+${right ?? "-"}`

async function joined(join: typeof S.outerJoinStream, input: readonly Sent[], window: S.JoinWindow = { within: 10 }) {
  const build = () => S.stream(Left).pipe(join("j", S.stream(Right), window, show), S.to(Out))
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const [side, key, value, timestamp] of input) {
    driver.send(side === "L" ? Left : Right, { key: key as string, value, timestamp })
    await driver.run()
  }
  return { driver, rows: driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp]) }
}

test("J1: both bounds are included; each arrival meets what came before, in the order of its time", async () => {
  const { rows } = await joined(inner, [
    ["L", "a", "l1", 100],
    ["L", "a", "l0", 95],
    ["L", "b", "lb", 100],
    ["R", "a", "r1", 105],
    ["R", "a", "r2", 110],
    ["R", "a", "r3", 111],
    ["L", "a", "l2", 101],
  ])
  expect(rows).toEqual([
    ["a", "l0+r1", 105],
    ["a", "l1+r1", 105],
    ["a", "l1+r2", 110],
    ["a", "l2+r1", 105],
    ["a", "l2+r2", 110],
    ["a", "l2+r3", 111],
  ])
})

test("J1: before and after are seen from the left", async () => {
  const { rows } = await joined(
    inner,
    [
      ["L", "a", "l", 100],
      ["R", "a", "early", 99],
      ["R", "a", "same", 100],
      ["R", "a", "later", 105],
      ["R", "a", "too late", 106],
    ],
    { before: 0, after: 5 },
  )
  expect(rows.map(([, value]) => value)).toEqual(["l+same", "l+later"])
})

test("J1: null keys and values are dropped and counted; a late record meets what is kept", async () => {
  const { rows, driver } = await joined(inner, [
    ["L", null, "l", 1],
    ["L", "a", null, 1],
    ["L", "a", "l", 100],
    ["L", "b", "l", 115],
    ["R", "a", "late", 95],
  ])
  expect([driver.dropped["null-key"], driver.dropped.tombstone]).toEqual([1, 1])
  expect(rows).toEqual([["a", "l+late", 100]])
})

test("J2: an unmatched left row is joined with nothing once no match can come any more, and not before", async () => {
  const input: Sent[] = [
    ["L", "a", "l1", 100],
    ["L", "b", "l2", 101],
    ["R", "b", "r", 102],
    ["R", "z", "clock", 112],
  ]
  const before = await joined(left, input, { within: 10, grace: 2 })
  expect(before.rows).toEqual([["b", "l2+r", 102]])
  const after = await joined(left, [...input, ["R", "z", "clock", 113]], { within: 10, grace: 2 })
  expect(after.rows.slice(1)).toEqual([["a", "l1+-", 100]])
})

test("J2: a jump in time sends every unmatched row of both sides, in the order of their times", async () => {
  const { rows } = await joined(S.outerJoinStream, [
    ["R", "b", "r1", 101],
    ["L", "a", "l1", 100],
    ["L", "a", "l2", 104],
    ["R", "z", "clock", 100_000],
  ])
  expect(rows).toEqual([
    ["a", "l1+-", 100],
    ["b", "-+r1", 101],
    ["a", "l2+-", 104],
  ])
})

test("J2: a row that comes when its window is past gets its result at once; no match comes after one without", async () => {
  const { rows } = await joined(left, [
    ["R", "z", "clock", 200],
    ["L", "a", "late", 100],
    ["R", "a", "later still", 100],
  ])
  expect(rows).toEqual([["a", "late+-", 100]])
})

test("J3: on a side that is joined without a match, a null key gets its result at once", async () => {
  const { rows, driver } = await joined(left, [
    ["L", null, "l", 5],
    ["R", null, "r", 5],
  ])
  expect(rows).toEqual([[null, "l+-", 5]])
  expect(driver.dropped["null-key"]).toBe(1)
  const outer = await joined(S.outerJoinStream, [["R", null, "r", 5]])
  expect(outer.rows).toEqual([[null, "-+r", 5]])
})

test("J4: a stream joined with itself meets itself once", async () => {
  const build = () => {
    const both = S.stream(Left)
    return both.pipe(S.joinStream("self", both, { within: 10 }, show), S.to(Out))
  }
  const driver = await TestDriver.start(S.pipeline("app", build))
  driver.send(Left, { key: "a", value: "1", timestamp: 100 })
  driver.send(Left, { key: "a", value: "2", timestamp: 105 })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual(["1+1", "2+1", "1+2", "2+2"])
})

test("J13: a side whose key changed is repartitioned through a topic named after it", async () => {
  const build = () =>
    S.stream(Left).pipe(
      S.joinStream("j", S.stream(Right).pipe(S.keyBy((value) => value.slice(0, 1))), { within: 10 }, show),
      S.to(Out),
    )
  const driver = await TestDriver.start(S.pipeline("app", build), { partitions: 3 })
  for (const key of ["a", "b", "c", "d"]) {
    driver.send(Left, { key, value: `l${key}`, timestamp: 10 })
    driver.send(Right, { key: "x", value: `${key}!`, timestamp: 10 })
  }
  await driver.run()
  expect(
    driver
      .read(Out)
      .map(({ value }) => value)
      .sort(),
  ).toEqual(["la+a!", "lb+b!", "lc+c!", "ld+d!"])
  expect(JSON.stringify(S.makeTopology(S.pipeline("app", build).plan, "app").repartitions)).toContain(
    "app-j-right-repartition",
  )
})

test("a window that is not said, or said twice, is refused with the operator's name", () => {
  const make = (window: S.JoinWindow) => () => S.stream(Left).pipe(S.joinStream("j", S.stream(Right), window, show))
  expect(make({})).toThrow('joinStream "j": say how far apart')
  expect(make({ within: 1, after: 2 })).toThrow('joinStream "j": give either within')
})
