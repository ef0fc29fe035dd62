import * as fc from "fast-check"
import { expect, test } from "vitest"
import type { AssignorCluster, GroupMember } from "../../src/group/assignor.ts"
import { rangeAssignor } from "../../src/group/range.ts"

const cluster = (counts: Record<string, number>): AssignorCluster => ({
  partitionCount: (topic) => counts[topic],
  rack: () => null,
  partitions: () => [],
  load: async () => {},
})

const member = (memberId: string, topics: readonly string[], groupInstanceId: string | null = null): GroupMember => ({
  memberId,
  groupInstanceId,
  topics,
  userData: null,
  ownedPartitions: [],
  generationId: -1,
  rackId: null,
})

async function assigned(
  counts: Record<string, number>,
  members: readonly GroupMember[],
): Promise<Record<string, string[]>> {
  const result = await rangeAssignor.assign(cluster(counts), members)
  return Object.fromEntries(
    [...result].map(([id, { partitions }]) => [id, partitions.map(({ topic, partition }) => `${topic}${partition}`)]),
  )
}

test.each([
  ["even", { a: 4 }, [member("x", ["a"]), member("y", ["a"])], { x: ["a0", "a1"], y: ["a2", "a3"] }],
  ["the first get one more", { a: 3 }, [member("y", ["a"]), member("x", ["a"])], { x: ["a0", "a1"], y: ["a2"] }],
  [
    "topics alike",
    { a: 2, b: 2 },
    [member("x", ["b", "a"]), member("y", ["a", "b"])],
    { x: ["a0", "b0"], y: ["a1", "b1"] },
  ],
  ["more members than partitions", { a: 1 }, [member("x", ["a"]), member("y", ["a"])], { x: ["a0"], y: [] }],
  ["only subscribers", { a: 1, b: 1 }, [member("x", ["b"]), member("y", ["a", "b"])], { x: ["b0"], y: ["a0"] }],
  ["an unknown topic", {}, [member("x", ["a"])], { x: [] }],
  [
    "static members first",
    { a: 2 },
    [member("a-id", ["a"]), member("z-id", ["a"], "s")],
    { "z-id": ["a0"], "a-id": ["a1"] },
  ],
])("%s", async (_, counts, members, expected) => {
  expect(await assigned(counts as Record<string, number>, members)).toEqual(expected)
})

test("every partition of a topic with subscribers goes to exactly one of them, evenly", async () => {
  const counts = fc.record({ a: fc.nat(20), b: fc.nat(20), c: fc.nat(20) })
  const members = fc.uniqueArray(
    fc.record({ id: fc.string({ minLength: 1 }), topics: fc.uniqueArray(fc.constantFrom<string>("a", "b", "c")) }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 8 },
  )
  await fc.assert(
    fc.asyncProperty(counts, members, async (topics, list) => {
      const result = await rangeAssignor.assign(
        cluster(topics),
        list.map(({ id, topics: names }) => member(id, names)),
      )
      for (const [topic, count] of Object.entries(topics)) {
        const subscribers = list.filter(({ topics: names }) => names.includes(topic))
        const shares = subscribers.map(({ id }) => result.get(id)!.partitions.filter((entry) => entry.topic === topic))
        const all = shares.flat().map(({ partition }) => partition)
        expect(all.toSorted((x, y) => x - y)).toEqual(
          subscribers.length === 0 ? [] : Array.from({ length: count }, (_, i) => i),
        )
        const sizes = shares.map((share) => share.length)
        expect(Math.max(0, ...sizes) - Math.min(...sizes, Math.max(0, ...sizes))).toBeLessThanOrEqual(1)
      }
    }),
  )
})
