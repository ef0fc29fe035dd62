/** Sliding and unlimited windows by their rows (reference 1.4, W4 and W5), with a difference of 10. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import fc from "fast-check"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<string>() })

type Sent = readonly [value: string, timestamp: number]

/** Rows as `start-end`, value, timestamp; the value is all records of the window in the order of their coming. */
async function windows(of: S.SlidingWindows | S.TimeWindows, input: readonly Sent[]) {
  const build = () =>
    S.stream(In).pipe(
      S.window(of),
      S.aggregate("w", { init: () => "", add: (all, value) => all + value, value: json<string>() }),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: `${key.start}-${key.end}`, value })),
      S.to(Out),
    )
  const driver = await TestDriver.start(S.pipeline("app", build))
  for (const [value, timestamp] of input) driver.send(In, { key: "k", value, timestamp })
  await driver.run()
  return { driver, rows: driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp]) }
}

const ROWS: ReadonlyArray<
  readonly [name: string, input: readonly Sent[], rows: ReadonlyArray<readonly [string, string, number]>]
> = [
  ["W4: a record alone has the window that ends at it, and no right one", [["a", 100]], [["90-100", "a", 100]]],
  [
    "W4: both bounds are included; a record further away shares no window",
    [
      ["a", 100],
      ["b", 110],
      ["c", 121],
    ],
    [
      ["90-100", "a", 100],
      ["101-111", "b", 110],
      ["100-110", "ab", 110],
      ["111-121", "c", 121],
    ],
  ],
  [
    "W4: one step beyond the difference, the right window of the record before is the left one of this",
    [
      ["a", 100],
      ["b", 111],
    ],
    [
      ["90-100", "a", 100],
      ["101-111", "b", 111],
    ],
  ],
  [
    "W4: a record between others is added to the windows around it, and gets its own two",
    [
      ["a", 100],
      ["b", 108],
      ["c", 104],
    ],
    [
      ["90-100", "a", 100],
      ["101-111", "b", 108],
      ["98-108", "ab", 108],
      ["98-108", "abc", 108],
      ["101-111", "bc", 108],
      ["94-104", "ac", 104],
      ["105-115", "b", 108],
    ],
  ],
  [
    "W4: records of one time share their windows",
    [
      ["a", 100],
      ["b", 100],
    ],
    [
      ["90-100", "a", 100],
      ["90-100", "ab", 100],
    ],
  ],
  [
    "W4: early records share the window [0, difference]",
    [
      ["a", 3],
      ["b", 5],
      ["c", 1],
    ],
    [
      ["0-10", "a", 3],
      ["4-14", "b", 5],
      ["0-10", "ab", 5],
      ["0-10", "abc", 5],
      ["2-12", "ab", 5],
    ],
  ],
]

test.each(ROWS)("%s", async (_, input, expected) => {
  const { rows } = await windows(S.sliding(10, { grace: 100 }), input)
  expect(rows.toSorted()).toEqual([...expected].toSorted())
})

test("W4: late is a record whose right window ends before stream time less grace; windows are by themselves", async () => {
  const { driver, rows } = await windows(S.sliding(10, { grace: 5 }), [
    ["a", 92],
    ["z", 100],
    ["b", 91],
    ["c", 84],
  ])
  // Closed is what ends before 95: the windows that end at 91 and 92 are, the one that ends at 100 is not.
  expect(rows.slice(3)).toEqual([
    ["90-100", "azb", 100],
    ["92-102", "az", 100],
  ])
  expect(driver.dropped.late).toBe(1)
})

test("W4: every set of records within the difference has a window, in whatever order they come", async () => {
  const times = fc.array(fc.integer({ min: 0, max: 45 }), { minLength: 1, maxLength: 14 })
  const property = fc.asyncProperty(times, async (timestamps) => {
    const input = timestamps.map((timestamp, id) => [String.fromCharCode(97 + id), timestamp] as const)
    const { rows } = await windows(S.sliding(10, { grace: 1_000 }), input)
    const found = new Map(rows.map(([key, value]) => [key as string, [...(value as string)].sort().join("")]))
    const expected = new Map<string, string>()
    for (const at of timestamps)
      for (const [start, end] of [
        [Math.max(0, at - 10), Math.max(10, at)],
        [at + 1, at + 11],
      ] as const) {
        const inside = input.filter(([, timestamp]) => timestamp >= start && timestamp <= end)
        if (inside.length > 0) expected.set(`${start}-${end}`, inside.map(([value]) => value).join(""))
      }
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
  })
  await fc.assert(property, { numRuns: 150 })
})

test("W4: windows that no record can need any more are forgotten", async () => {
  const { driver } = await windows(S.sliding(10), [
    ["a", 100],
    ["b", 300],
  ])
  expect(driver.rows("w").map(({ value }) => value)).toEqual([[{ from: 290, to: 300, value: "b" }]])
})

test("W5: an unlimited window takes every record from its start on, and none before", async () => {
  const { rows } = await windows(S.unlimited({ start: 50 }), [
    ["a", 10],
    ["b", 50],
    ["c", 1_000_000_000],
    ["d", 60],
  ])
  const key = `50-${Number.MAX_SAFE_INTEGER}`
  expect(rows).toEqual([
    [key, "b", 50],
    [key, "bc", 1_000_000_000],
    [key, "bcd", 1_000_000_000],
  ])
  expect(() => S.unlimited({ start: -1 })).toThrow("from 0 on")
})
