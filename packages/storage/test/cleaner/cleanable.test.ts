import { describe, expect, test } from "vitest"
import { type CleanableLog, cleanableRange, type SegmentAge } from "../../src/cleaner/cleanable.ts"
import { groupSegments } from "../../src/cleaner/segment-groups.ts"

const NOW = 1_000_000
const segment = (baseOffset: number, size = 100, times: Partial<SegmentAge> = {}): SegmentAge => ({
  baseOffset,
  size,
  firstTimestamp: 10,
  maxTimestamp: 20,
  createdAt: 0,
  ...times,
})

/** Segments of ten offsets each; the last is active and ends at 35. */
const log = (overrides: Partial<CleanableLog> = {}): CleanableLog => ({
  segments: [segment(0), segment(10), segment(20), segment(30)],
  logStartOffset: 0,
  logEndOffset: 35,
  lastStableOffset: 35,
  ...overrides,
  config: {
    minCompactionLagMs: 0,
    maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
    minCleanableDirtyRatio: 0.5,
    ...overrides.config,
  },
})
const lag = (config: Partial<CleanableLog["config"]>) => ({ config: config as CleanableLog["config"] })

describe("what is to be cleaned", () => {
  test.each<[string, Partial<CleanableLog>, number | undefined, [number, number], number, boolean]>([
    ["a log that never was: all but the active segment", {}, undefined, [0, 30], 1, true],
    ["one that was cleaned to 10: two of three segments", {}, 10, [10, 30], 2 / 3, true],
    ["cleaned to 20: a third is not enough", {}, 20, [20, 30], 1 / 3, false],
    ["exactly the ratio is not enough", { segments: [segment(0), segment(10), segment(20)] }, 10, [10, 20], 0.5, false],
    ["a ratio of 0: any dirty byte is enough", lag({ minCleanableDirtyRatio: 0 }), 20, [20, 30], 1 / 3, true],
    ["a ratio of 0 and nothing dirty", lag({ minCleanableDirtyRatio: 0 }), 30, [30, 30], 0, false],
    ["a checkpoint inside a segment: the whole segment counts as dirty", {}, 15, [15, 30], 2 / 3, true],
    [
      "a checkpoint below the log's start starts there",
      { logStartOffset: 10, segments: [segment(10), segment(20), segment(30)] },
      5,
      [10, 30],
      1,
      true,
    ],
    ["a checkpoint beyond the log's end is not believed", {}, 99, [0, 30], 1, true],
    ["an open transaction holds its whole segment back", { lastStableOffset: 25 }, undefined, [0, 20], 1, true],
    ["the last stable offset between segments", { lastStableOffset: 20 }, undefined, [0, 20], 1, true],
    ["all unstable", { lastStableOffset: 5 }, undefined, [0, 0], 0, false],
    ["only the active segment", { segments: [segment(0)] }, undefined, [0, 0], 0, false],
    [
      "an overdue record makes it due whatever the ratio",
      lag({ maxCompactionLagMs: NOW - 11 }),
      20,
      [20, 30],
      1 / 3,
      true,
    ],
    [
      "a record as old as the largest lag is not overdue",
      lag({ maxCompactionLagMs: NOW - 10 }),
      20,
      [20, 30],
      1 / 3,
      false,
    ],
  ])("%s", (_, overrides, checkpoint, [first, upper], ratio, isDue) => {
    const range = cleanableRange(log(overrides), checkpoint, NOW)
    expect(range).toMatchObject({ firstDirtyOffset: first, upperBound: upper, isDue })
    expect(range.dirtyRatio).toBeCloseTo(ratio)
  })

  test("min.compaction.lag.ms holds back from the first segment with a younger record on", () => {
    const segments = [
      segment(0, 100, { maxTimestamp: NOW - 1001 }),
      segment(10, 100, { maxTimestamp: NOW - 999 }),
      segment(20, 100, { maxTimestamp: NOW - 5000 }),
      segment(30),
    ]
    const config = { minCompactionLagMs: 1000 } as CleanableLog["config"]
    expect(cleanableRange(log({ segments, config }), undefined, NOW).upperBound).toBe(10)
  })

  test("a segment without timestamps is as old as its file", () => {
    const segments = [segment(0, 100, { maxTimestamp: -1, createdAt: NOW - 10 }), segment(10)]
    const config = { minCompactionLagMs: 1000 } as CleanableLog["config"]
    expect(cleanableRange(log({ segments, config }), undefined, NOW).upperBound).toBe(0)
    expect(cleanableRange(log({ segments, config }), undefined, NOW + 1000).upperBound).toBe(10)
  })
})

describe("groups of segments", () => {
  const sizes = (rows: readonly (readonly [base: number, next: number, size: number, index?: number])[]) =>
    rows.map(([baseOffset, nextOffset, size, index = 8]) => ({
      baseOffset,
      nextOffset,
      size,
      offsetIndexBytes: index,
      timeIndexBytes: 12,
    }))
  const limits = { segmentBytes: 1000, segmentIndexBytes: 100 }
  const bases = (rows: Parameters<typeof sizes>[0]) =>
    groupSegments(sizes(rows), (row) => row, limits).map((group) => group.map(({ baseOffset }) => baseOffset))

  test.each<[string, Parameters<typeof sizes>[0], number[][]]>([
    ["nothing", [], []],
    [
      "as many as fit the bytes of one segment",
      [
        [0, 10, 400],
        [10, 20, 600],
        [20, 30, 1],
      ],
      [[0, 10], [20]],
    ],
    [
      "a large one stays alone",
      [
        [0, 10, 5000],
        [10, 20, 1],
        [20, 30, 1],
      ],
      [[0], [10, 20]],
    ],
    [
      "as many as fit an index",
      [
        [0, 10, 1, 60],
        [10, 20, 1, 40],
        [20, 30, 1, 8],
      ],
      [[0, 10], [20]],
    ],
    [
      "offsets must fit 31 bits",
      [
        [0, 10, 1],
        [10, 2 ** 31, 1],
        [2 ** 31, 2 ** 31 + 1, 1],
      ],
      [[0, 10], [2 ** 31]],
    ],
    [
      "an empty one has no offsets",
      [
        [0, 10, 1],
        [10, 2 ** 33, 0],
      ],
      [[0, 10]],
    ],
  ])("%s", (_, rows, expected) => {
    expect(bases(rows)).toEqual(expected)
  })
})
