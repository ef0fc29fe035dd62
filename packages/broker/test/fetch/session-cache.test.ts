import type { Random } from "@millrace/host"
import { expect, test } from "vitest"
import { FetchSessionCache, NO_SESSION } from "../../src/fetch/session-cache.ts"
import { type AnsweredPartition, nextEpoch } from "../../src/fetch/session.ts"

const MINUTE = 60_000

function cacheOf(slots: number): FetchSessionCache {
  let next = 0
  const random: Random = { float: () => 0, int: () => next++, bytes: (length) => new Uint8Array(length) }
  return new FetchSessionCache({ random, slots: () => slots })
}

const partitions = (count: number): AnsweredPartition[] =>
  Array.from({ length: count }, (_, partition) => ({
    from: {
      topic: "a",
      topicId: "",
      asked: {
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: 0,
        lastFetchedEpoch: -1,
        logStartOffset: -1,
        partitionMaxBytes: 1,
        replicaDirectoryId: "",
        highWatermark: 0,
      },
    },
    answer: { partitionIndex: partition, errorCode: 0, highWatermark: 0, records: null },
  }))

test("54: one that was idle for two minutes gives its slot up, the longest idle first", () => {
  const cache = cacheOf(2)
  const [first, second] = [cache.create(partitions(5), false, 0), cache.create(partitions(5), false, 0)]
  expect(cache.create(partitions(1), false, MINUTE)).toBe(NO_SESSION)
  cache.used(cache.get(first)!, 1 * MINUTE)
  expect(cache.create(partitions(1), false, 2 * MINUTE + 1)).not.toBe(NO_SESSION)
  expect([cache.get(first)?.id, cache.get(second)?.id]).toEqual([first, undefined])
})

test("54: an older session gives its slot to one that reads no fewer partitions", () => {
  const cache = cacheOf(1)
  const first = cache.create(partitions(3), false, 0)
  cache.used(cache.get(first)!, 2 * MINUTE)
  // In its first two minutes it stays, whoever asks.
  expect(cache.create(partitions(9), false, 2 * MINUTE)).toBe(NO_SESSION)
  expect(cache.create(partitions(2), false, 2 * MINUTE + 1)).toBe(NO_SESSION)
  expect(cache.create(partitions(3), false, 2 * MINUTE + 1)).not.toBe(NO_SESSION)
  expect(cache.size).toBe(1)
})

test("54: after the last epoch comes 1", () => {
  expect([nextEpoch(0), nextEpoch(1), nextEpoch(2_147_483_647)]).toEqual([1, 2, 1])
})
