/** Windows that are emitted once, when they close (reference 1.4, W8). */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<string>() })

type Sent = readonly [key: string, value: string, timestamp: number]
type Windows = S.TimeWindows | S.SlidingWindows | S.SessionWindows

const emit = "on-window-close"

/** Rows as `key@start-end`, value, timestamp. */
async function closed(windows: Windows, input: readonly Sent[]) {
  const options = {
    init: () => "",
    add: (all: string, value: string) => (value === "delete" ? (null as never) : all + value),
    merge: (left: string, right: string) => left + right,
    value: json<string>(),
  }
  const build = () =>
    S.stream(In).pipe(
      S.window(windows as S.SessionWindows),
      S.aggregate("w", options),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}-${key.end}`, value })),
      S.to(Out),
    )
  await using driver = await TestDriver.start(S.pipeline("app", build))
  for (const [key, value, timestamp] of input) driver.send(In, { key, value, timestamp })
  await driver.run()
  return driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])
}

const ROWS: ReadonlyArray<
  readonly [
    name: string,
    windows: Windows,
    input: readonly Sent[],
    rows: ReadonlyArray<readonly [string, string, number]>,
  ]
> = [
  [
    "W8: a tumbling window is sent once, when stream time less grace reaches its end, with its greatest timestamp",
    S.tumbling(10, { grace: 5, emit }),
    [
      ["a", "1", 8],
      ["a", "2", 3],
      ["b", "-", 14],
      ["a", "3", 5],
      ["b", "-", 15],
    ],
    [["a@0-10", "123", 8]],
  ],
  [
    "W8: windows go in the order of their ends, then of their keys, whatever order their records came in",
    S.tumbling(10, { grace: 100, emit }),
    [
      ["b", "1", 25],
      ["c", "1", 5],
      ["a", "1", 26],
      ["b", "2", 6],
      ["z", "-", 500],
    ],
    [
      ["b@0-10", "2", 6],
      ["c@0-10", "1", 5],
      ["a@20-30", "1", 26],
      ["b@20-30", "1", 25],
    ],
  ],
  [
    "W8: hopping windows go one by one",
    S.hopping(10, { advance: 5, emit }),
    [
      ["a", "1", 7],
      ["a", "2", 12],
      ["a", "3", 16],
    ],
    [
      ["a@0-10", "1", 7],
      ["a@5-15", "12", 12],
    ],
  ],
  [
    "W8: a window that was deleted sends nothing",
    S.tumbling(10, { emit }),
    [
      ["a", "1", 1],
      ["a", "delete", 2],
      ["b", "1", 3],
      ["b", "delete", 4],
      ["b", "2", 5],
      ["z", "-", 10],
    ],
    [["b@0-10", "2", 5]],
  ],
  [
    "W8: a session goes when stream time less grace and gap is beyond its end, which is its time",
    S.session(10, { grace: 5, emit }),
    [
      ["a", "1", 100],
      ["a", "2", 110],
      ["b", "1", 125],
      ["c", "1", 126],
    ],
    [["a@100-110", "12", 110]],
  ],
  [
    "W8: sessions go in the order of their ends, those that became one once",
    S.session(10, { grace: 100, emit }),
    [
      ["a", "3", 130],
      ["a", "1", 100],
      ["b", "1", 118],
      ["a", "2", 115],
      ["a", "join", 108],
      ["z", "-", 300],
    ],
    [
      ["b@118-118", "1", 118],
      ["a@100-115", "12join", 115],
      ["a@130-130", "3", 130],
    ].toSorted((left, right) => Number(left[2]) - Number(right[2])) as never,
  ],
  [
    "W8: a sliding window goes when stream time less grace is beyond its end; early ones do too",
    S.sliding(10, { emit }),
    [
      ["a", "1", 5],
      ["b", "1", 10],
      ["b", "2", 11],
    ],
    [
      ["a@0-10", "1", 5],
      ["b@0-10", "1", 10],
    ],
  ],
]

test.each(ROWS)("%s", async (_, windows, input, expected) => {
  expect(await closed(windows, input)).toEqual(expected)
})

test("W8: what is sent when windows close is in time for windows that follow", async () => {
  const build = () =>
    S.stream(In).pipe(
      S.window(S.tumbling(10, { emit })),
      S.count("n"),
      S.toStream(),
      S.keyBy((_, { key }) => key.key),
      S.window(S.tumbling(20)),
      S.reduce("most", Math.max, { value: json<number>() }),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}`, value: String(value) })),
      S.to(Out),
    )
  await using driver = await TestDriver.start(S.pipeline("app", build))
  for (const timestamp of [1, 2, 11, 100]) driver.send(In, { key: "a", value: "x", timestamp })
  await driver.run()
  expect(driver.read(Out).map(({ key, value }) => [key, value])).toEqual([
    ["a@0", "2"],
    ["a@0", "2"],
  ])
  expect(driver.dropped.late).toBe(0)
})

test("W8: there is no other way to emit", () => {
  expect(() => S.tumbling(10, { emit: "never" as never })).toThrow('emit is "on-window-update" or "on-window-close"')
})
