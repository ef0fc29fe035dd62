import { describe, expect, it } from "vitest"
import { cleanPrefix } from "../src/checker/clean-prefix.ts"
import { exactCopy } from "../src/checker/exact-copy.ts"
import { noDuplicate } from "../src/checker/no-duplicate.ts"
import { noLostAcknowledgement } from "../src/checker/no-lost-acknowledgement.ts"
import { observed } from "../src/checker/observed.ts"
import { sentOrder } from "../src/checker/sent-order.ts"

type Case = [name: string, found: string[], expected: string[]]

const place = (offset: number) => ({ partition: 0, offset })
const acknowledged = new Map([
  ["a", place(0)],
  ["b", place(-1)],
  ["c", place(3)],
])
const at = (offset: number, value: string) => ({ offset, value })
const log = [at(0, "a"), at(2, "b"), at(3, "c")]
const aborted = new Set(["aborted-a"])
const cases: Case[] = [
  ["all acknowledged are there", noLostAcknowledgement(acknowledged, [[...log, at(4, "unanswered")]]), []],
  [
    "an acknowledged one is missing",
    noLostAcknowledgement(acknowledged, [[log[0]!, log[2]!]]),
    ["acknowledged but missing: b"],
  ],
  [
    "an acknowledged one is elsewhere",
    noLostAcknowledgement(acknowledged, [[at(0, "a"), at(1, "c"), at(2, "b")]]),
    ["acknowledged at 0@3 but stored at 0@1: c"],
  ],
  ["a reader on its way", observed("t-0", log.slice(0, 2), log), []],
  [
    "a reader that skipped",
    observed("t-0", [log[0]!, log[2]!], log),
    ["t-0: c was read at 3, where the log has b at 2 next"],
  ],
  [
    "a reader of what is gone",
    observed("t-0", [...log, at(4, "x")], log),
    ["t-0: x was read at 4 and is not in the log"],
  ],
  ["no duplicate", noDuplicate(["a", "b"]), []],
  ["a duplicate", noDuplicate(["a", "b", "a"]), ["duplicated in the log: a"]],
  ["an exact copy", exactCopy(["a", "b"], ["b", "a"], aborted), []],
  ["a value not copied", exactCopy(["a", "b"], ["a"], aborted), ["not copied: b"]],
  ["a value copied twice", exactCopy(["a", "b"], ["a", "b", "b"], aborted), ["copied 2 times: b"]],
  ["an aborted value seen", exactCopy(["a"], ["a", "aborted-a"], aborted), ["aborted but visible: aborted-a"]],
  ["a value from nowhere", exactCopy(["a"], ["a", "x"], aborted), ["copied from nowhere: x"]],
  ["a prefix", cleanPrefix("t-0", ["a", "b", "c"], ["a", "b"]), []],
  [
    "a hole",
    cleanPrefix("t-0", ["a", "b", "c"], ["a", "c"]),
    ["t-0 is no prefix of what was sent: c stands where b should"],
  ],
  ["order kept with another writer between", sentOrder("t-0", ["w-1", "v-0", "w-3"]), []],
  ["order broken", sentOrder("t-0", ["w-3", "w-1"]), ["t-0 has w-1 after w-3"]],
]

describe("checkers", () => {
  it.each(cases)("%s", (_, found, expected) => expect(found).toEqual(expected))
})
