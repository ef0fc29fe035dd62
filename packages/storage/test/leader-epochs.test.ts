import { describe, expect, it } from "vitest"
import { LeaderEpochs } from "../src/leader-epochs.ts"
import { MemoryDisk } from "./memory-disk.ts"

const PATH = "/data/t-0/leader-epoch-checkpoint"
const END = 100

function epochs(...entries: readonly (readonly [epoch: number, start: number])[]): LeaderEpochs {
  const cache = new LeaderEpochs(new MemoryDisk(), PATH)
  for (const [epoch, start] of entries) cache.assign(epoch, start)
  return cache
}

const list = (cache: LeaderEpochs) => cache.entries.map(({ epoch, startOffset }) => [epoch, startOffset])

describe("leader epochs", () => {
  it.each([
    ["the latest ends at the log's end", 7, { epoch: 7, endOffset: END }],
    ["an older one where the next starts", 5, { epoch: 5, endOffset: 60 }],
    ["one between two is answered by the smaller", 6, { epoch: 5, endOffset: 60 }],
    ["one before the first ends where that starts", 1, { epoch: 1, endOffset: 10 }],
    ["a future one is unknown", 8, { epoch: -1, endOffset: -1 }],
    ["none is unknown", -1, { epoch: -1, endOffset: -1 }],
  ])("%s", (_, epoch, expected) => {
    expect(epochs([2, 10], [5, 30], [7, 60]).endOffsetFor(epoch, END)).toEqual(expected)
  })

  it("know which epoch wrote an offset", () => {
    const cache = epochs([2, 10], [5, 30])
    expect([9, 10, 29, 30, 99].map((offset) => cache.epochOf(offset))).toEqual([-1, 2, 2, 5, 5])
  })

  it("forget an epoch that wrote nothing, and take no older one", () => {
    expect(list(epochs([2, 10], [3, 30], [4, 30], [1, 50]))).toEqual([
      [2, 10],
      [4, 30],
    ])
  })

  it.each([
    [
      5,
      [
        [2, 10],
        [5, 30],
        [7, 60],
      ],
    ],
    [
      10,
      [
        [2, 10],
        [5, 30],
        [7, 60],
      ],
    ],
    [
      20,
      [
        [2, 20],
        [5, 30],
        [7, 60],
      ],
    ],
    [
      30,
      [
        [5, 30],
        [7, 60],
      ],
    ],
    [99, [[7, 99]]],
  ])("cut from the start at %i", (offset, expected) => {
    const cache = epochs([2, 10], [5, 30], [7, 60])
    cache.truncateFromStart(offset)
    expect(list(cache)).toEqual(expected)
  })

  it.each([
    [
      61,
      [
        [2, 10],
        [5, 30],
        [7, 60],
      ],
    ],
    [
      60,
      [
        [2, 10],
        [5, 30],
      ],
    ],
    [5, []],
  ])("cut from the end at %i", (offset, expected) => {
    const cache = epochs([2, 10], [5, 30], [7, 60])
    cache.truncateFromEnd(offset)
    expect(list(cache)).toEqual(expected)
  })

  it("are in Kafka's format, and come back", () => {
    const disk = new MemoryDisk()
    disk.makeDirectory("/data/t-0")
    const cache = new LeaderEpochs(disk, PATH)
    cache.assign(0, 0)
    cache.assign(4, 120)
    cache.save()
    expect(new TextDecoder().decode(disk.readFile(PATH))).toBe("0\n2\n0 0\n4 120\n")
    expect(list(new LeaderEpochs(disk, PATH))).toEqual([
      [0, 0],
      [4, 120],
    ])
  })
})
