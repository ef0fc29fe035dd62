/**
 * The round-robin strategy: all partitions of all topics, one after another, to the members in a circle. Members that do
 * not subscribe to the topic are passed over.
 */
import type { Assignor, AssignorCluster, GroupMember, MemberAssignment, TopicPartition } from "./assignor.ts"
import { inOrder } from "./range.ts"

function assign(cluster: AssignorCluster, members: readonly GroupMember[]): Map<string, MemberAssignment> {
  const circle = members.toSorted(inOrder)
  const assigned = new Map<string, TopicPartition[]>(circle.map((member) => [member.memberId, []]))
  const topics = new Set(circle.flatMap((member) => member.topics))
  let next = 0
  for (const topic of [...topics].toSorted()) {
    for (let partition = 0; partition < (cluster.partitionCount(topic) ?? 0); partition++) {
      while (!circle[next % circle.length]!.topics.includes(topic)) next++
      assigned.get(circle[next++ % circle.length]!.memberId)!.push({ topic, partition })
    }
  }
  return new Map([...assigned].map(([memberId, partitions]) => [memberId, { partitions }]))
}

export const roundRobinAssignor: Assignor = { name: "roundrobin", protocol: "eager", assign }
