import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { expect, test } from "vitest"
import { TestDriver } from "../src/index.ts"
import { parseMarbles } from "../src/marbles.ts"

const frames = (marbles: string) =>
  parseMarbles(marbles).map((step) => (step.kind === "commit" ? "|" : `${step.name}${step.frame}`))

test.each<readonly [string, readonly string[]]>([
  ["", []],
  ["abc", ["a0", "b1", "c2"]],
  ["a--b", ["a0", "b3"]],
  ["a(bc)d", ["a0", "b1", "c1", "d2"]],
  ["a|b", ["a0", "|", "b1"]],
  [" a - b ", ["a0", "b2"]],
])("%s", (marbles, expected) => {
  expect(frames(marbles)).toEqual(expected)
})

test.each(["a(b", "a)b", "a(b|c)", "a?"])("%s is refused", (marbles) => {
  expect(() => parseMarbles(marbles)).toThrow(/marbles/)
})

test("K1: a pipeline is played, transaction by transaction", async () => {
  const In = S.topic("in", { key: string, value: json<number>() })
  const Out = S.topic("out", { key: string, value: json<number>() })
  const pipeline = S.pipeline("sums", () =>
    S.stream(In).pipe(
      S.window(S.tumbling(3)),
      S.aggregate("sum", { init: () => 0, add: (sum, value) => sum + value }),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}`, value })),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  const one = { key: "k", value: 1 }
  await driver.play(In, "a-a|a(ab)|", { a: one, b: { key: "k", value: 10 } })
  expect(driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
    ["k@0", 1, 0],
    ["k@0", 2, 2],
    ["k@3", 1, 3],
    ["k@3", 2, 4],
    ["k@3", 12, 4],
  ])
  expect(driver.transactions.committed).toBe(2)
})
