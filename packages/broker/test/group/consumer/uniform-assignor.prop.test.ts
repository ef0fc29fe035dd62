/** What any server-side assignor promises, and the uniform one in particular. */
import fc from "fast-check"
import { expect, test } from "vitest"
import type { AssignorMember } from "../../../src/group/consumer/assignor.ts"
import { assignors } from "../../../src/group/consumer/assignors.ts"
import { noPartitions, type Partitions, sizeOf } from "../../../src/group/consumer/partitions.ts"
import type { GroupTopic } from "../../../src/group/consumer/topics.ts"

const topics: GroupTopic[] = [1, 3, 4, 7].map((partitionCount, index) => ({
  name: `t${index}`,
  topicId: `id${index}`,
  partitionCount,
}))
const subscription = fc.subarray(topics, { minLength: 1 })
const subscriptions = fc.array(subscription, { minLength: 1, maxLength: 6 })

const member = (index: number, read: readonly GroupTopic[], target: Partitions = noPartitions): AssignorMember => ({
  memberId: `m${index}`,
  instanceId: null,
  topics: read,
  target,
})

const assigned = (targets: ReadonlyMap<string, Partitions>) =>
  [...targets].flatMap(([memberId, target]) =>
    [...target].flatMap(([topicId, partitions]) => partitions.map((partition) => ({ memberId, topicId, partition }))),
  )

test.each([...assignors])(
  "%s: every partition of a subscribed topic has one owner, who reads the topic",
  (_, assign) => {
    fc.assert(
      fc.property(subscriptions, (reads) => {
        const members = reads.map((read, index) => member(index, read))
        const found = assigned(assign(members))
        const names = found.map(({ topicId, partition }) => `${topicId}-${partition}`).sort()
        const expected = topics
          .filter((topic) => reads.some((read) => read.includes(topic)))
          .flatMap(({ topicId, partitionCount }) =>
            Array.from({ length: partitionCount }, (_, at) => `${topicId}-${at}`),
          )
        expect(names).toEqual(expected.sort())
        for (const { memberId, topicId } of found)
          expect(members.find((one) => one.memberId === memberId)!.topics.map((topic) => topic.topicId)).toContain(
            topicId,
          )
      }),
    )
  },
)

test("uniform: members that read the same differ by one partition at most", () => {
  fc.assert(
    fc.property(subscription, fc.integer({ min: 1, max: 8 }), (read, count) => {
      const targets = assignors.get("uniform")!(Array.from({ length: count }, (_, index) => member(index, read)))
      const sizes = [...targets.values()].map(sizeOf)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})

test("uniform: nothing moves when nothing changed, and no more than its share when somebody comes", () => {
  const uniform = assignors.get("uniform")!
  fc.assert(
    fc.property(subscription, fc.integer({ min: 1, max: 6 }), (read, count) => {
      const first = uniform(Array.from({ length: count }, (_, index) => member(index, read)))
      const known = [...first].map(([, target], index) => member(index, read, target))
      expect(uniform(known)).toEqual(first)
      const grown = uniform([...known, member(count, read)])
      for (const [memberId, target] of first) {
        const kept = grown.get(memberId)!
        for (const [topicId, partitions] of kept)
          for (const partition of partitions) expect(target.get(topicId)).toContain(partition)
      }
    }),
  )
})
