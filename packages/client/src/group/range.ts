/**
 * The range strategy: per topic, consecutive partitions to the members in order, the first ones getting one more.
 * Topics with the same partition count and subscribers are divided alike, which is what joins need.
 */
import type { Assignor, AssignorCluster, GroupMember, MemberAssignment, TopicPartition } from "./assignor.ts"

/** Static members by instance id, then dynamic ones by member id: a restart does not reorder static ones. */
export function inOrder(a: GroupMember, b: GroupMember): number {
  if ((a.groupInstanceId === null) !== (b.groupInstanceId === null)) return a.groupInstanceId === null ? 1 : -1
  const [left, right] = [a.groupInstanceId ?? a.memberId, b.groupInstanceId ?? b.memberId]
  return left < right ? -1 : left > right ? 1 : 0
}

function assign(cluster: AssignorCluster, members: readonly GroupMember[]): Map<string, MemberAssignment> {
  const sorted = members.toSorted(inOrder)
  const assigned = new Map<string, TopicPartition[]>(sorted.map((member) => [member.memberId, []]))
  const topics = new Set(sorted.flatMap((member) => member.topics))
  for (const topic of [...topics].toSorted()) {
    const count = cluster.partitionCount(topic) ?? 0
    const subscribers = sorted.filter((member) => member.topics.includes(topic))
    const each = Math.floor(count / subscribers.length)
    const extra = count % subscribers.length
    let next = 0
    for (const [index, member] of subscribers.entries()) {
      const end = next + each + (index < extra ? 1 : 0)
      for (; next < end; next++) assigned.get(member.memberId)!.push({ topic, partition: next })
    }
  }
  return new Map([...assigned].map(([memberId, partitions]) => [memberId, { partitions }]))
}

export const rangeAssignor: Assignor = { name: "range", protocol: "eager", assign }
