import { expect, test } from "vitest"
import type { GroupMember } from "../../src/group/assignor.ts"
import { roundRobinAssignor } from "../../src/group/round-robin.ts"

const member = (memberId: string, topics: readonly string[]): GroupMember => ({
  memberId,
  groupInstanceId: null,
  topics,
  userData: null,
  ownedPartitions: [],
  generationId: -1,
  rackId: null,
})

test.each([
  [
    "topics go on where the last one ended",
    { a: 3, b: 3 },
    [member("y", ["a", "b"]), member("x", ["a", "b"])],
    { x: ["a0", "a2", "b1"], y: ["a1", "b0", "b2"] },
  ],
  [
    "who does not subscribe is passed over",
    { a: 1, b: 2, c: 3 },
    [member("x", ["a"]), member("y", ["a", "b"]), member("z", ["a", "b", "c"])],
    { x: ["a0"], y: ["b0"], z: ["b1", "c0", "c1", "c2"] },
  ],
  ["nobody has what does not exist", {}, [member("x", ["a"])], { x: [] }],
])("%s", async (_, counts: Record<string, number>, members, expected) => {
  const partitionCount = (topic: string) => counts[topic]
  const cluster = { partitionCount, partitions: () => [], rack: () => null, load: async () => {} }
  const assigned = await roundRobinAssignor.assign(cluster, members)
  const named = [...assigned].map(([id, { partitions }]) => [id, partitions.map((p) => `${p.topic}${p.partition}`)])
  expect(Object.fromEntries(named)).toEqual(expected)
})
