import { describe, expect, test } from "vitest"
import { MetadataCache, type TopicMetadata } from "../../src/metadata/cache.ts"

const node = (id: number) => ({ id, address: { host: "h", port: id }, rack: null })
const topic = (
  name: string,
  topicId: string | undefined,
  leaders: [leader: number, epoch: number][],
  error = 0,
): TopicMetadata => ({
  name,
  topicId,
  internal: false,
  error,
  partitions: leaders.map(([leader, leaderEpoch], partition) => ({
    partition,
    leader,
    leaderEpoch,
    replicas: [],
    isr: [],
    error: 0,
  })),
})
const answer = (...topics: TopicMetadata[]) => ({ clusterId: "c", controllerId: 1, nodes: [node(1), node(2)], topics })

describe("leader epochs", () => {
  test.each([
    ["a newer one wins", "id-1", [2, 6], [2, 6]],
    ["an older one does not", "id-1", [2, 4], [1, 5]],
    ["an unknown one does, old brokers tell none", "id-1", [2, -1], [2, -1]],
    ["a recreated topic begins anew", "id-2", [2, 0], [2, 0]],
  ] as const)("%s", (_, id, told, expected) => {
    const cache = new MetadataCache()
    cache.apply(answer(topic("t", "id-1", [[1, 5]])), false)
    cache.apply(answer(topic("t", id, [[told[0], told[1]]])), false)
    const { leader, leaderEpoch } = cache.partition("t", 0)!
    expect([leader, leaderEpoch]).toEqual(expected)
    expect(cache.topicName(id)).toBe("t")
    expect(cache.topicName("id-1")).toBe(id === "id-1" ? "t" : undefined)
  })
})

test("topics that an answer does not mention stay, unless it names all", () => {
  const cache = new MetadataCache()
  cache.apply(answer(topic("t", "id-1", [[1, 0]]), topic("u", "id-2", [[1, 0]])), false)
  cache.apply(answer(topic("t", "id-1", [[1, 0]])), false)
  expect(cache.topic("u")).toBeDefined()
  cache.apply(answer(topic("t", "id-1", [[1, 0]])), true)
  expect([cache.topic("u"), cache.topicName("id-2")]).toEqual([undefined, undefined])
})

test("an error of a topic keeps the leaders known before", () => {
  const cache = new MetadataCache()
  cache.apply(answer(topic("t", "id-1", [[1, 3]])), false)
  cache.apply(answer(topic("t", "id-1", [], 5)), false)
  expect([cache.topic("t")!.error, cache.partition("t", 0)!.leader]).toEqual([5, 1])
})

test("a leader named in an error answer is believed when it is newer and known", () => {
  const cache = new MetadataCache()
  cache.apply(answer(topic("t", "id-1", [[1, 3]])), false)
  expect(cache.applyLeader("t", 0, 2, 3)).toBe(false)
  expect(cache.applyLeader("t", 0, 9, 4)).toBe(false)
  expect(cache.applyLeader("t", 0, 9, 4, node(9))).toBe(true)
  expect([cache.partition("t", 0)!.leader, cache.node(9)?.address.port]).toEqual([9, 9])
  expect(cache.applyLeader("absent", 0, 2, 9)).toBe(false)
})
