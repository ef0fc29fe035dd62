import { describe, expect, it } from "vitest"
import { checkHistory } from "../src/checker/history/check.ts"
import type { History, MicroOperation, Operation } from "../src/checker/history/history.ts"

const KEY = "t-0"
const send = (value: string, offset?: number, key = KEY): MicroOperation => ({ send: { key, value, offset } })
const poll = (reads: Record<number, string>, key = KEY): MicroOperation => ({
  poll: { key, reads: Object.entries(reads).map(([offset, value]) => ({ offset: Number(offset), value })) },
})
const op = (process: string, type: Operation["type"], ...steps: MicroOperation[]): Operation => ({
  process,
  type,
  steps,
  isRepositioned: false,
})
const anew = (operation: Operation): Operation => ({ ...operation, isRepositioned: true })

type Case = readonly [name: string, history: History, expected: readonly string[]]
const cases: readonly Case[] = [
  [
    "values that are read in order, over markers and what was aborted",
    [
      op("p", "ok", send("a", 0), send("b", 1)),
      op("q", "fail", send("x", 3)),
      op("p", "ok", send("c", 5)),
      op("r", "ok", poll({ 0: "a", 1: "b" }), poll({ 5: "c" })),
    ],
    [],
  ],
  [
    "an unknown one that nobody read, and another that somebody did",
    [op("p", "info", send("a", 0)), op("q", "info", send("b", 2)), op("r", "ok", poll({ 2: "b" }))],
    [],
  ],
  [
    "a reader that was positioned anew, and one whose transaction failed",
    [
      op("p", "ok", send("a", 0), send("b", 1)),
      op("r", "fail", poll({ 0: "a", 1: "b" })),
      anew(op("r", "ok", poll({ 0: "a" }))),
    ],
    [],
  ],
  [
    "different values at one offset",
    [
      op("p", "ok", send("a", 0)),
      op("q", "ok", send("b", 0)),
      op("r", "ok", poll({ 0: "a" })),
      op("s", "ok", poll({ 0: "b" })),
    ],
    ["t-0 has different values at offset 0: a, b"],
  ],
  [
    "a value at two offsets",
    [op("p", "ok", send("a", 0)), op("r", "ok", poll({ 0: "a", 1: "a" }))],
    ["a is in t-0 at 0 and at 1", "r goes back in t-0: it read a, place 1, after a, 1"],
  ],
  [
    "an aborted value read",
    [op("p", "fail", send("a", 0)), op("r", "ok", poll({ 0: "a" }))],
    ["r read a from t-0, which p never committed"],
  ],
  [
    "a write that is lost",
    [op("p", "ok", send("a", 0), send("b", 1)), op("r", "ok", poll({ 1: "b" }))],
    ["a of p was committed to t-0, and nobody read it who read on", "a of p was committed to t-0, and never read"],
  ],
  [
    "a transaction of unknown outcome of which half is lost",
    [op("p", "info", send("a", 0), send("b", 1)), op("r", "ok", poll({ 1: "b" }))],
    ["a of p was committed to t-0, and nobody read it who read on"],
  ],
  [
    "a value that nobody has read yet",
    [op("p", "ok", send("a", 0)), op("r", "ok", poll({}))],
    ["a of p was committed to t-0, and never read"],
  ],
  [
    "a poll that skips",
    [
      op("p", "ok", send("a", 0), send("b", 1), send("c", 2)),
      op("q", "ok", poll({ 0: "a", 1: "b", 2: "c" })),
      op("r", "ok", poll({ 0: "a" })),
      op("r", "ok", poll({ 2: "c" })),
    ],
    ["r skips values in t-0: it read c, place 2, after a, 0"],
  ],
  [
    "a poll that goes back, within one transaction",
    [op("p", "ok", send("a", 0), send("b", 1)), op("r", "ok", poll({ 0: "a", 1: "b" }), poll({ 0: "a" }))],
    ["r goes back in t-0: it read a, place 0, after b, 1"],
  ],
  [
    "sends that stand in another order",
    [op("p", "ok", send("a", 1)), op("p", "ok", send("b", 0)), op("r", "ok", poll({ 0: "b", 1: "a" }))],
    ["p sent b to t-0 after a, and it stands before it"],
  ],
  [
    "a transaction that reads itself",
    [op("p", "ok", send("a", 0), poll({ 0: "a" }))],
    ["p read a from t-0 in the transaction that sent it"],
  ],
  [
    "transactions that read from each other",
    [op("p", "ok", send("a", 0), poll({ 0: "b" }, "t-1")), op("q", "ok", send("b", 0, "t-1"), poll({ 0: "a" }))],
    ["transactions read from each other in a circle: p sent a; q sent b"],
  ],
]

describe("the checks of a history", () => {
  it.each(cases)("%s", (_, history, expected) => expect(checkHistory(history)).toEqual(expected))
})
