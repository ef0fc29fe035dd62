/** RxJS operators whose memory is a store, per key and in event time. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Sent = readonly [key: string | null, value: number | null, timestamp: number]
type Operator = (s: S.Stream<string, number>) => S.Stream<string, any>

/** With a commit and an abort between any two records: the memory must be that of what is committed. */
async function outputs(operator: Operator, input: readonly Sent[], isCut: boolean) {
  const build = () => operator(S.stream(In)).pipe(S.to(Out))
  await using driver = await TestDriver.start(S.pipeline("app", build))
  for (const [key, value, timestamp] of input) {
    driver.send(In, { key: key as string, value, timestamp })
    if (!isCut) continue
    driver.process()
    await driver.abort()
    driver.process()
    await driver.commit()
  }
  await driver.run()
  return {
    dropped: driver.dropped,
    rows: driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp]),
  }
}

const ROWS: ReadonlyArray<
  readonly [name: string, operator: Operator, input: readonly Sent[], rows: readonly (readonly [string, any, number])[]]
> = [
  [
    "scan: every result, by key",
    S.scan(
      "op",
      (sum, value) => sum + value,
      () => 10,
    ),
    [
      ["a", 1, 1],
      ["b", 5, 2],
      ["a", 2, 3],
    ],
    [
      ["a", 11, 1],
      ["b", 15, 2],
      ["a", 13, 3],
    ],
  ],
  [
    "pairwise: from the second value of a key on",
    S.pairwise("op"),
    [
      ["a", 1, 1],
      ["b", 5, 2],
      ["a", 2, 3],
      ["a", 3, 4],
    ],
    [
      ["a", [1, 2], 3],
      ["a", [2, 3], 4],
    ],
  ],
  [
    "distinctUntilChanged: what differs from the value before, by key",
    S.distinctUntilChanged("op"),
    [
      ["a", 1, 1],
      ["a", 1, 2],
      ["b", 1, 3],
      ["a", 2, 4],
      ["a", 1, 5],
    ],
    [
      ["a", 1, 1],
      ["b", 1, 3],
      ["a", 2, 4],
      ["a", 1, 5],
    ],
  ],
  [
    "distinctUntilChanged: by what is made of the value, objects by their content",
    S.distinctUntilChanged("op", (value) => ({ parity: value % 2, none: undefined })),
    [
      ["a", 1, 1],
      ["a", 3, 2],
      ["a", 4, 3],
    ],
    [
      ["a", 1, 1],
      ["a", 4, 3],
    ],
  ],
  [
    "debounceTime: the last value, once no other has followed for the time",
    S.debounceTime("op", 10),
    [
      ["a", 1, 100],
      ["a", 2, 105],
      ["b", 1, 108],
      ["a", 3, 115],
      ["b", 2, 117],
      ["z", 0, 200],
    ],
    [
      ["a", 2, 115],
      ["a", 3, 125],
      ["b", 2, 127],
    ],
  ],
  [
    "debounceTime: a value that is older than the last changes nothing",
    S.debounceTime("op", 10),
    [
      ["a", 1, 100],
      ["a", 2, 95],
      ["z", 0, 200],
    ],
    [["a", 1, 110]],
  ],
  [
    "throttleTime: a value, then none for the time",
    S.throttleTime("op", 10),
    [
      ["a", 1, 100],
      ["a", 2, 109],
      ["b", 1, 109],
      ["a", 3, 110],
      ["a", 4, 105],
    ],
    [
      ["a", 1, 100],
      ["b", 1, 109],
      ["a", 3, 110],
    ],
  ],
  [
    "auditTime: the last value within the time from the first",
    S.auditTime("op", 10),
    [
      ["a", 1, 100],
      ["a", 2, 109],
      ["a", 3, 110],
      ["z", 0, 200],
    ],
    [
      ["a", 2, 110],
      ["a", 3, 120],
    ],
  ],
  [
    "bufferCount: so many values of a key",
    S.bufferCount("op", 2),
    [
      ["a", 1, 1],
      ["b", 5, 2],
      ["a", 2, 3],
      ["a", 3, 4],
    ],
    [["a", [1, 2], 3]],
  ],
  [
    "bufferTime: the values within the time from the first",
    S.bufferTime("op", 10),
    [
      ["a", 1, 100],
      ["a", 2, 109],
      ["b", 1, 109],
      ["a", 3, 110],
      ["z", 0, 200],
    ],
    [
      ["a", [1, 2], 110],
      ["b", [1], 119],
      ["a", [3], 120],
    ],
  ],
]

test.each(ROWS)("%s", async (_, operator, input, expected) => {
  expect((await outputs(operator, input, false)).rows).toEqual(expected)
  expect((await outputs(operator, input, true)).rows).toEqual(expected)
})

test("records without key or value are dropped and counted", async () => {
  const { rows, dropped } = await outputs(
    S.pairwise("op"),
    [
      [null, 1, 1],
      ["a", null, 2],
      ["a", 1, 3],
    ],
    false,
  )
  expect([rows, dropped["null-key"], dropped.tombstone]).toEqual([[], 1, 1])
})

test("a changed key is repartitioned before them", async () => {
  const byParity: Operator = (s) =>
    s.pipe(
      S.keyBy((value) => (value % 2 === 0 ? "even" : "odd")),
      S.bufferCount("op", 2),
    )
  const input: Sent[] = [1, 2, 3, 4].map((value) => [`k${value}`, value, value])
  expect((await outputs(byParity, input, false)).rows).toEqual([
    ["odd", [1, 3], 3],
    ["even", [2, 4], 4],
  ])
})

test("what they are given is checked", () => {
  expect(() => S.bufferCount("op", 0)).toThrow("a whole number from 1 on")
  expect(() => S.debounceTime("op", 0)).toThrow('debounceTime "op": a time of 0')
  // @ts-expect-error no such unit
  expect(() => S.auditTime("op", "1 moment")).toThrow("not a duration")
})
