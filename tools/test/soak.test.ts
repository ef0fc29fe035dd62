import { expect, test } from "vitest"
import { plot } from "../src/soak/plot.ts"
import type { Descriptors, Sample } from "../src/soak/samples.ts"
import { findings, type Rest, rssBefore } from "../src/soak/verdict.ts"

const DESCRIPTORS: Descriptors = { sockets: 5, data: 10, deleted: 0, others: 20 }
const rest = (changed: Partial<Descriptors> = {}): Rest => ({
  descriptors: { ...DESCRIPTORS, ...changed },
  segments: 12,
})
const sample = (seconds: number, rssMb: number): Sample => ({
  seconds,
  rssMb,
  heapMb: 30,
  externalMb: undefined,
  threads: 11,
  descriptors: DESCRIPTORS,
  written: seconds * 100,
  audited: seconds * 300,
})

test("memory counts as the median of the last samples before a point", () => {
  const samples = [
    sample(0, 50),
    ...[100, 101, 900, 102, 103].map((mb, index) => sample(10 + index, mb)),
    sample(15, 1),
  ]
  expect(rssBefore(samples, 14, 5)).toBe(102)
  expect(rssBefore(samples, 14, 0)).toBeNaN()
})

test("what holds as much at the end as before is fine, up to a tenth more memory", () => {
  const held = { baseRssMb: 100, base: rest(), end: rest({ data: 12 }) }
  expect(findings({ ...held, endRssMb: 110 })).toEqual([])
  expect(findings({ ...held, endRssMb: 90 })).toEqual([])
})

test.each([
  ["memory", { endRssMb: 111 }, "resident memory grew"],
  ["memory that nobody measured", { endRssMb: NaN }, "resident memory grew"],
  ["connections", { end: rest({ sockets: 6 }) }, "sockets: 5 descriptors at rest before, 6 at the end"],
  ["anything else", { end: rest({ others: 21 }) }, "others: 20 descriptors"],
  ["deleted files", { end: rest({ deleted: 1 }) }, "1 deleted files are open (end)"],
  ["deleted files early", { base: rest({ deleted: 2 }) }, "2 deleted files are open (base)"],
  ["files twice", { end: rest({ data: 14 }) }, "14 data files are open where there are 12 segments"],
])("a leak of %s is found", (_, changed, finding) => {
  const held = { baseRssMb: 100, endRssMb: 100, base: rest(), end: rest(), ...changed }
  expect(findings(held)).toEqual([expect.stringContaining(finding)])
})

test("a plot has a line for every figure, and none for what nobody knows", () => {
  const lines = plot([0, 2, 4].map((seconds) => sample(seconds, 100 + seconds))).match(/points="([^"]*)"/g)!
  expect(lines).toHaveLength(9)
  expect(lines.filter((line) => line === 'points=""')).toHaveLength(1)
  expect(lines.join()).not.toContain("NaN")
})
