/** Session windows by their rows (reference 1.4, W3), with a gap of 10 unless told otherwise. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<string>() })

type Sent = readonly [key: string | null, value: string | null, timestamp: number]

/** Rows as `a@start-end`, value (null for a tombstone), timestamp. */
async function sessions(input: readonly Sent[], options: { gap?: number; grace?: number } = {}) {
  const { gap = 10, grace = 0 } = options
  const build = () =>
    S.stream(In).pipe(
      S.window(S.session(gap, { grace })),
      S.aggregate("s", {
        init: () => "",
        add: (all, value) => all + value,
        merge: (left, right) => left + right,
        value: json<string>(),
      }),
      S.toStream(),
      S.tombstones(),
      S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}-${key.end}`, value: value ?? "gone" })),
      S.to(Out),
    )
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const [key, value, timestamp] of input) driver.send(In, { key: key as string, value, timestamp })
  await driver.run()
  return { driver, rows: driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp]) }
}

test("W3: the gap is inclusive; a session that grows is taken back under its old key first", async () => {
  const { rows } = await sessions([
    ["a", "1", 100],
    ["a", "2", 110],
    ["a", "3", 121],
  ])
  expect(rows).toEqual([
    ["a@100-100", "1", 100],
    ["a@100-100", "gone", 100],
    ["a@100-110", "12", 110],
    ["a@121-121", "3", 121],
  ])
})

test("W3: a record between two sessions makes them one", async () => {
  const { rows } = await sessions(
    [
      ["a", "1", 100],
      ["a", "3", 115],
      ["a", "2", 107],
    ],
    { grace: 100 },
  )
  expect(rows.slice(2)).toEqual([
    ["a@100-100", "gone", 100],
    ["a@115-115", "gone", 115],
    ["a@100-115", "132", 115],
  ])
})

test("W3: a record inside leaves the bounds as they were", async () => {
  const { rows } = await sessions([
    ["a", "1", 100],
    ["a", "2", 108],
    ["a", "3", 104],
  ])
  expect(rows.slice(3)).toEqual([
    ["a@100-108", "gone", 108],
    ["a@100-108", "123", 108],
  ])
})

test("W3: late is what would end before stream time less grace and gap; the bound itself is not", async () => {
  const late = await sessions([
    ["b", "-", 200],
    ["a", "in time", 190],
    ["a", "late", 189],
  ])
  // It would be late alone; it meets the session of 190 and so ends there.
  expect(late.rows.slice(1)).toEqual([
    ["a@190-190", "in time", 190],
    ["a@190-190", "gone", 190],
    ["a@189-190", "in timelate", 190],
  ])
  const alone = await sessions([
    ["b", "-", 200],
    ["a", "late", 189],
    ["a", "in time", 190],
  ])
  expect(alone.rows.slice(1)).toEqual([["a@190-190", "in time", 190]])
  expect(alone.driver.dropped.late).toBe(1)
})

test("W3: keys have sessions of their own; a past session joins nothing", async () => {
  const { rows, driver } = await sessions([
    ["a", "1", 100],
    ["b", "1", 105],
    ["c", "1", 300],
    ["a", "2", 301],
  ])
  expect(rows.map(([key]) => key)).toEqual(["a@100-100", "b@105-105", "c@300-300", "a@301-301"])
  expect(driver.dropped.late).toBe(0)
})

test("A2: records without key or value are dropped and counted; null deletes the session", async () => {
  const { driver, rows } = await sessions([
    [null, "1", 1],
    ["a", null, 2],
  ])
  expect([driver.dropped["null-key"], driver.dropped.tombstone, rows]).toEqual([1, 1, []])
})

test("W3: count and reduce know how sessions merge", async () => {
  const Numbers = S.topic("out", { key: string, value: json<number>() })
  const build = () =>
    S.stream(In).pipe(
      S.window(S.session(10, { grace: "1 minute" })),
      S.count("n"),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}-${key.end}`, value })),
      S.to(Numbers),
    )
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const timestamp of [100, 120, 110]) driver.send(In, { key: "a", value: "x", timestamp })
  await driver.run()
  expect(driver.read(Numbers).map(({ key, value }) => [key, value])).toContainEqual(["a@100-120", 3])
})
