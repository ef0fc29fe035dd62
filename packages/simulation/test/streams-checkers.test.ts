/**
 * The checkers of the streams suite find what they are for.
 */
import { describe, expect, it, test } from "vitest"
import { closedWindows } from "../src/checker/closed-windows.ts"
import { exactResults, forwardRows, type Result } from "../src/checker/exact-results.ts"
import { expectedOf } from "../src/checker/expected.ts"
import { type Change, engineMatches } from "../src/checker/state.ts"
import { Content } from "../src/state-device.ts"
import type { EventValue } from "../src/workload/pipeline.ts"

const event = (id: number, at: number, word = "ant", isNoise = false): EventValue => ({
  id: String(id),
  key: "k",
  at,
  word,
  isNoise,
})

test("what is expected: noise is out, and a window takes nothing later than its grace", () => {
  const found = expectedOf([
    [event(0, 100), event(1, 2_500), event(2, 200), event(3, 1_500, "bee"), event(4, 9, "x", true)],
  ])
  expect(found.records).toEqual({ joined: 4, counts: 4, windows: 3 })
  expect([...found.counts]).toEqual([
    ["ant", [["0", "1", "2"]]],
    ["bee", [["3"]]],
  ])
  expect([...found.windows.keys()]).toEqual(["ant@0", "ant@2000", "bee@1000"])
  expect(found.late).toBe(1)
})

const expected = new Map([["a", [["1", "3"], ["2"]]]])
const result = (id: string, n?: number): Result => (n === undefined ? { key: "a", id } : { key: "a", id, n })
const cases: [name: string, results: Result[], findings: string[]][] = [
  ["all of them", [result("1", 1), result("2", 2), result("3", 3)], []],
  ["one missing", [result("1"), result("2")], ["t, key a: event 3 has no result"]],
  ["one twice", [result("1"), result("2"), result("3"), result("3")], ["t, key a: event 3 has 2 results"]],
  [
    "a number left out",
    [result("1", 1), result("2", 2), result("3", 4)],
    ["t, key a: result 3, of event 3, has the number 4"],
  ],
  ["out of order", [result("3"), result("2"), result("1")], ["t, key a: the result of event 1 comes after that of 3"]],
  [
    "of another key",
    [result("1"), result("2"), result("3"), result("9")],
    ["t, key a: there is a result of event 9, which is none of its events"],
  ],
  [
    "of a key unknown",
    [result("1"), result("2"), result("3"), { key: "b", id: "1" }],
    ["t has results of a key unknown: b"],
  ],
]

describe("exact results", () => {
  it.each(cases)("%s", (_, results, findings) => expect(exactResults("t", results, expected)).toEqual(findings))

  it("a row never gives way to an older one", () => {
    const joined = [2, 3, 2].map((version, id) => ({ key: "k", id: String(id), version }))
    expect(forwardRows(joined, new Map([["k", 3]]))).toEqual(["event 2 met version 2 of row k after version 3"])
    expect(forwardRows(joined.slice(0, 2), new Map([["k", 2]]))).toEqual([
      "event 1 met version 3 of row k, never written",
    ])
  })
})

test.each<readonly [string, Parameters<typeof closedWindows>[0], readonly string[], string | undefined]>([
  ["nothing is wrong", [{ key: "a@0", ids: ["1", "2"] }], ["3"], undefined],
  [
    "a window that closes twice",
    [
      { key: "a@0", ids: ["1", "2"] },
      { key: "a@0", ids: [] },
    ],
    ["3"],
    "closes twice",
  ],
  [
    "an event in two windows",
    [
      { key: "a@0", ids: ["1", "2"] },
      { key: "a@1", ids: ["2"] },
    ],
    ["3"],
    "event 2 is in",
  ],
  ["an event that is late too", [{ key: "a@0", ids: ["1", "2"] }], ["2", "3"], "event 2 is in"],
  ["an event in none", [{ key: "a@0", ids: ["1"] }], ["3"], "event 2 is in no window"],
  ["an event of nobody", [{ key: "a@0", ids: ["1", "2", "9"] }], ["3"], "event 9"],
])("closed windows: %s", (_, closed, late, finding) => {
  const found = closedWindows(closed, late, new Set(["1", "2", "3"]))
  expect(found).toEqual(finding === undefined ? [] : [expect.stringContaining(finding)])
})

describe("engines", () => {
  const change = (offset: number, key: number, value: number | null): Change => ({
    offset,
    timestamp: 0,
    key: Uint8Array.of(key),
    value: value === null ? null : Uint8Array.of(value),
  })
  const changelog = [change(0, 1, 7), change(2, 2, 8), change(3, 1, null)]
  const content = (offset: number, ...rows: [key: number, value: number][]) => {
    const made = new Content()
    const batch = rows.map(([key, value]) => ({
      key: String.fromCharCode(key),
      value: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, value),
    }))
    made.apply({ batch, checkpoint: { topicId: "t", offset, writtenAt: 0 } })
    return made
  }

  it.each([
    ["as of its checkpoint", content(3, [1, 7], [2, 8]), []],
    [
      "with less than it says",
      content(3, [1, 7]),
      ["e with checkpoint 3: key 02 is missing, the changelog wrote it at 2"],
    ],
    [
      "with more than it says",
      content(4, [1, 7], [2, 8]),
      ["e with checkpoint 4: key 01 is there, and not in the changelog"],
    ],
    ["with another value", content(1, [1, 9]), ["e with checkpoint 1: key 01 is not what was written at 0"]],
    ["empty", new Content(), []],
  ])("%s", (_, engine, findings) => expect(engineMatches("e", engine, changelog)).toEqual(findings))
})
