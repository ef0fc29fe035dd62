/**
 * range: each topic by itself, in contiguous ranges over its subscribers in their order; the first ones get one more
 * where it does not divide. Topics with as many partitions and the same subscribers are split alike, so that what lies
 * in equal partitions meets at one member.
 */
import { type AssignorMember, inOrder } from "./assignor.ts"
import type { Partitions } from "./partitions.ts"
import type { GroupTopic } from "./topics.ts"

export function range(members: readonly AssignorMember[]): ReadonlyMap<string, Partitions> {
  const targets = new Map<string, Map<string, readonly number[]>>(members.map(({ memberId }) => [memberId, new Map()]))
  const subscribers = new Map<string, { readonly topic: GroupTopic; readonly members: AssignorMember[] }>()
  for (const member of inOrder(members)) {
    for (const topic of member.topics) {
      const entry = subscribers.get(topic.topicId)
      if (entry === undefined) subscribers.set(topic.topicId, { topic, members: [member] })
      else entry.members.push(member)
    }
  }
  for (const { topic, members: readers } of subscribers.values()) {
    const share = Math.floor(topic.partitionCount / readers.length)
    const more = topic.partitionCount % readers.length
    let first = 0
    for (const [index, { memberId }] of readers.entries()) {
      const count = share + (index < more ? 1 : 0)
      if (count > 0)
        targets.get(memberId)!.set(
          topic.topicId,
          Array.from({ length: count }, (_, at) => first + at),
        )
      first += count
    }
  }
  return targets
}
