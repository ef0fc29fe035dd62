/**
 * The sticky strategies: everything owned once, balanced, and no more moves than balance asks for.
 */
import { encode } from "@millrace/protocol"
import { StickyUserData } from "@millrace/protocol/records/sticky-assignor"
import fc from "fast-check"
import { expect, test } from "vitest"
import type { Assignor, AssignorCluster, GroupMember, TopicPartition } from "../../src/group/assignor.ts"
import { cooperativeStickyAssignor, stickyAssignor } from "../../src/group/sticky.ts"

const TOPICS = ["a", "b", "c"]

const clusterOf = (counts: Record<string, number>): AssignorCluster => ({
  partitionCount: (topic) => counts[topic],
  rack: () => null,
  partitions: () => [],
  load: async () => {},
})

interface Given {
  readonly counts: Record<string, number>
  readonly members: readonly { readonly id: string; readonly topics: readonly string[] }[]
  /** Who had each partition; one past the last member is nobody. */
  readonly had: readonly number[]
}

const scenario = (topics: fc.Arbitrary<string[]>): fc.Arbitrary<Given> =>
  fc
    .record({
      counts: fc.record({ a: fc.nat(8), b: fc.nat(8), c: fc.nat(8) }),
      subscriptions: fc.array(topics, { minLength: 1, maxLength: 6 }),
    })
    .chain(({ counts, subscriptions }) =>
      fc.record({
        counts: fc.constant(counts),
        members: fc.constant(subscriptions.map((list, at) => ({ id: `m${at}`, topics: list }))),
        had: fc.array(fc.nat(subscriptions.length), { minLength: 24, maxLength: 24 }),
      }),
    )
const alike = scenario(fc.constant(TOPICS))
const mixed = scenario(fc.subarray(TOPICS))

const partitionsOf = (counts: Record<string, number>): TopicPartition[] =>
  TOPICS.flatMap((topic) => Array.from({ length: counts[topic] ?? 0 }, (_, partition) => ({ topic, partition })))
const nameOf = ({ topic, partition }: TopicPartition) => `${topic}${partition}`

function membersOf({ counts, members, had }: Given, how: "owned" | "told"): GroupMember[] {
  return members.map(({ id, topics }, at) => {
    const before = partitionsOf(counts).filter((_, index) => had[index] === at)
    const previousAssignment = [...Map.groupBy(before, ({ topic }) => topic)].map(([topic, list]) => ({
      topic,
      partitions: list.map(({ partition }) => partition),
    }))
    return {
      memberId: id,
      groupInstanceId: null,
      topics,
      userData: how === "told" ? encode(StickyUserData, 1, { previousAssignment, generation: 3 }) : null,
      ownedPartitions: how === "owned" ? before : [],
      generationId: how === "owned" ? 3 : -1,
      rackId: null,
    }
  })
}

async function assign(assignor: Assignor, given: Given, members: readonly GroupMember[]) {
  const result = await assignor.assign(clusterOf(given.counts), members)
  return new Map([...result].map(([id, { partitions }]) => [id, partitions.map(nameOf)]))
}

test("sticky: every partition with subscribers has one owner that subscribes", async () => {
  await fc.assert(
    fc.asyncProperty(mixed, async (given) => {
      const assigned = await assign(stickyAssignor, given, membersOf(given, "told"))
      const wanted = partitionsOf(given.counts).filter(({ topic }) =>
        given.members.some(({ topics }) => topics.includes(topic)),
      )
      expect([...assigned.values()].flat().sort()).toEqual(wanted.map(nameOf).sort())
      for (const { id, topics } of given.members) {
        for (const name of assigned.get(id)!) expect(topics).toContain(name[0])
      }
    }),
  )
})

test("sticky: no partition could move to a subscriber with two fewer", async () => {
  await fc.assert(
    fc.asyncProperty(mixed, async (given) => {
      const assigned = await assign(stickyAssignor, given, membersOf(given, "told"))
      for (const [id, held] of assigned) {
        for (const name of held) {
          for (const other of given.members) {
            if (other.id === id || !other.topics.includes(name[0]!)) continue
            expect(assigned.get(other.id)!.length).toBeGreaterThanOrEqual(held.length - 1)
          }
        }
      }
    }),
  )
})

test("sticky: with equal subscriptions only what is above the even share moves", async () => {
  await fc.assert(
    fc.asyncProperty(alike, async (given) => {
      const members = membersOf(given, "told")
      const assigned = await assign(stickyAssignor, given, members)
      const all = partitionsOf(given.counts)
      const [least, most] = [Math.floor, Math.ceil].map((round) => round(all.length / members.length))
      for (const [at, { id }] of given.members.entries()) {
        const before = all.filter((_, index) => given.had[index] === at).map(nameOf)
        const kept = assigned.get(id)!.filter((name) => before.includes(name)).length
        expect(kept).toBeGreaterThanOrEqual(Math.min(before.length, least!))
        expect(assigned.get(id)!.length).toBeLessThanOrEqual(most!)
      }
    }),
  )
})

/** Rounds of a cooperative rebalance until nothing is withheld: what each member has after each. */
async function rounds(given: Given): Promise<Map<string, string[]>[]> {
  const all = partitionsOf(given.counts)
  const wanted = all.filter(({ topic }) => given.members.some(({ topics }) => topics.includes(topic))).length
  const results: Map<string, string[]>[] = []
  let members = membersOf(given, "owned")
  for (;;) {
    const holder = new Map(members.flatMap((one) => one.ownedPartitions.map((p) => [nameOf(p), one.memberId])))
    const assigned = await assign(cooperativeStickyAssignor, given, members)
    for (const [id, held] of assigned) for (const name of held) expect(holder.get(name) ?? id).toBe(id)
    results.push(assigned)
    if ([...assigned.values()].flat().length === wanted) return results
    expect(results.length).toBeLessThan(6)
    members = members.map((member) => ({
      ...member,
      ownedPartitions: all.filter((p) => assigned.get(member.memberId)!.includes(nameOf(p))),
      generationId: member.generationId + 1,
    }))
  }
}

test("cooperative: what another member holds is given to nobody, and soon everything has an owner", async () => {
  await fc.assert(fc.asyncProperty(mixed, async (given) => void (await rounds(given))))
})

test("cooperative: with equal subscriptions two rounds are enough, and the second takes nothing away", async () => {
  await fc.assert(
    fc.asyncProperty(alike, async (given) => {
      const [first, second, ...more] = await rounds(given)
      expect(more).toEqual([])
      for (const [id, held] of first!) for (const name of held) expect((second ?? first)!.get(id)).toContain(name)
    }),
  )
})

const member = (memberId: string, owned: readonly number[], generationId: number): GroupMember => ({
  memberId,
  groupInstanceId: null,
  topics: ["a"],
  userData: null,
  ownedPartitions: owned.map((partition) => ({ topic: "a", partition })),
  generationId,
  rackId: null,
})

test.each([
  ["the later generation's claim counts", [member("x", [0, 1], 2), member("y", [0], 3)], { x: ["a1"], y: [] }],
  ["of two claims of one generation neither does", [member("x", [0], 3), member("y", [0], 3)], { x: [], y: ["a1"] }],
  ["a lone old claim counts", [member("x", [0], 1), member("y", [], 3)], { x: ["a0"], y: ["a1"] }],
])("cooperative: %s, and whatever is claimed waits", async (_, members, expected) => {
  const given = { counts: { a: 2 }, members: [], had: [] }
  expect(Object.fromEntries(await assign(cooperativeStickyAssignor, given, members))).toEqual(expected)
})
