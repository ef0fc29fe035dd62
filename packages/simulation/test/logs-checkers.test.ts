import { describe, expect, it } from "vitest"
import { type CatalogEntry, catalogMatches } from "../src/checker/catalog.ts"
import { cleanedTable } from "../src/checker/cleaned-table.ts"
import { latestValues, type TableRow, type Update } from "../src/checker/latest-values.ts"
import { type LogLook, logStart } from "../src/checker/log-start.ts"

type Case = [name: string, found: string[], expected: string[]]

const update = (value: string | null, state: Update["state"], settledAt = 0): Update => ({ value, state, settledAt })
const row = (key: string, value: string | null): TableRow => ({ key, value })
const updates = new Map([
  ["a", [update("a=0", "committed"), update("a=1", "committed"), update("a=2", "aborted"), update("a=3", "unknown")]],
  ["b", [update("b=0", "committed"), update(null, "committed")]],
])
const latest = (rows: TableRow[], startedAt = 1, missesTombstones = false) =>
  latestValues(updates, [rows], startedAt, missesTombstones)

const look: LogLook = {
  partition: "t-0",
  startBefore: 2,
  startAfter: 3,
  seen: [
    { offset: 2, value: "c" },
    { offset: 3, value: "d" },
  ],
  acknowledged: [
    { offset: 1, value: "b", timestamp: 0 },
    { offset: 2, value: "c", timestamp: 900 },
    { offset: 3, value: "d", timestamp: 900 },
  ],
  deletedTo: 2,
  askedTo: 3,
  now: 1_000,
  retentionMs: 500,
}
const before: CatalogEntry = { id: "x", partitions: 1, config: "1" }
const after: CatalogEntry = { id: undefined, partitions: 2, config: "1" }

const cases: Case[] = [
  ["a table with its last values", latest([row("a", "a=0"), row("a", "a=1"), row("b", null)]), []],
  ["a table with a newer value of unknown outcome, and no tombstone", latest([row("a", "a=3")]), []],
  ["a table read before anything was settled", latest([], 0), []],
  ["a tombstone that a slow reader may miss", latest([row("a", "a=1"), row("b", "b=0")], 1, true), []],
  [
    "a last value lost",
    latest([row("a", "a=0"), row("b", null)]),
    ["a ends as a=0, after a=1 (update 1) was committed"],
  ],
  ["a key lost", latest([row("b", null)]), ["a ends as deleted, after a=1 (update 1) was committed"]],
  [
    "a deleted key that is back",
    latest([row("a", "a=1"), row("b", "b=0")]),
    ["b ends as b=0, after a tombstone (update 1) was committed"],
  ],
  [
    "values out of order",
    latest([row("a", "a=1"), row("a", "a=0"), row("a", "a=1"), row("b", null)]),
    ["a=0 stands behind a=1"],
  ],
  ["an aborted value", latest([row("a", "a=1"), row("a", "a=2"), row("b", null)]), ["aborted but visible: a=2"]],
  ["a clean table", cleanedTable(updates, [[row("a", "a=1")]]), []],
  ["a clean table with a value of unknown outcome", cleanedTable(updates, [[row("a", "a=3")]]), []],
  [
    "a table with too much in it",
    cleanedTable(updates, [[row("a", "a=0"), row("a", "a=1"), row("a", "a=1"), row("a", "a=2"), row("b", null)]]),
    ["a still has a=0", "a has a value, and also a=1", "a still has a=2", "b still has a tombstone"],
  ],
  ["a log that was shortened", logStart(look, 2), []],
  ["records that are old enough to go", logStart({ ...look, askedTo: 0, now: 2_000 }, 2), []],
  ["a start that goes back", logStart(look, 3), ["the start of t-0 went back from 3 to 2"]],
  [
    "records that are back",
    logStart({ ...look, startBefore: 1, startAfter: 1, seen: [{ offset: 1, value: "b" }, ...look.seen] }, 1),
    ["t-0 starts at 1, though records were deleted up to 2"],
  ],
  [
    "a record below the start",
    logStart({ ...look, startBefore: 3, askedTo: 3 }, 2),
    ["t-0 starts at 3, and c was read at 2"],
  ],
  [
    "a record that goes too soon",
    logStart({ ...look, askedTo: 2 }, 2),
    ["c is gone from t-0, 100 ms after it was written"],
  ],
  [
    "a record lost behind the start",
    logStart({ ...look, seen: [{ offset: 2, value: "c" }] }, 2),
    ["acknowledged at t-0@3 but missing: d; there is undefined"],
  ],
  ["a topic as it must be", catalogMatches("t", before, [before]), []],
  ["a topic after a change that had no answer", catalogMatches("t", { ...after, id: "y" }, [before, after]), []],
  [
    "a topic that forgot its change",
    catalogMatches("t", before, [after]),
    ["t is x with 1 partitions and 1, and should be new with 2 partitions and 1"],
  ],
  [
    "a topic of another id",
    catalogMatches("t", { ...before, id: "y" }, [before]),
    ["t is y with 1 partitions and 1, and should be x with 1 partitions and 1"],
  ],
  [
    "a topic that is back",
    catalogMatches("t", before, [undefined]),
    ["t is x with 1 partitions and 1, and should be gone"],
  ],
]

describe("the checkers of the logs suite", () => {
  it.each(cases)("%s", (_, found, expected) => expect(found).toEqual(expected))
})
