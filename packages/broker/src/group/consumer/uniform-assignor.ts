/**
 * uniform: as even as subscriptions allow, moving as little as that takes.
 *
 * Members keep what they had of topics they still read. What is free goes to the subscriber with the least, topics with
 * the fewest subscribers first. Then partitions move from members with more to members with at least two less, which ends
 * because each move makes the sum of squares smaller.
 */
import { type AssignorMember, inOrder } from "./assignor.ts"
import type { Partitions } from "./partitions.ts"
import type { GroupTopic } from "./topics.ts"

interface Share {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  readonly has: Map<string, Set<number>>
  size: number
}

export function uniform(members: readonly AssignorMember[]): ReadonlyMap<string, Partitions> {
  const topics = new Map<string, GroupTopic>()
  for (const member of members) for (const topic of member.topics) topics.set(topic.topicId, topic)
  const shares = inOrder(members).map((member): Share => ({
    memberId: member.memberId,
    topics: new Set(member.topics.map(({ topicId }) => topicId)),
    has: new Map(),
    size: 0,
  }))
  const free = keepTargets(topics, shares, new Map(members.map(({ memberId, target }) => [memberId, target])))
  const readersOf = new Map(
    [...topics.keys()].map((topicId) => [topicId, shares.filter((share) => share.topics.has(topicId))] as const),
  )
  const scarcestFirst = [...free].sort(([left], [right]) => readersOf.get(left)!.length - readersOf.get(right)!.length)
  for (const [topicId, partitions] of scarcestFirst)
    for (const partition of partitions) give(least(readersOf.get(topicId)!), topicId, partition)
  balance(shares, readersOf)
  return new Map(shares.map((share) => [share.memberId, frozen(share)]))
}

/** Answers the partitions that nobody keeps. */
function keepTargets(
  topics: ReadonlyMap<string, GroupTopic>,
  shares: readonly Share[],
  targets: ReadonlyMap<string, Partitions>,
): Map<string, number[]> {
  const taken = new Map<string, Set<number>>([...topics.keys()].map((topicId) => [topicId, new Set()]))
  for (const share of shares) {
    for (const [topicId, partitions] of targets.get(share.memberId)!) {
      const topic = topics.get(topicId)
      if (topic === undefined || !share.topics.has(topicId)) continue
      for (const partition of partitions) {
        if (partition >= topic.partitionCount || taken.get(topicId)!.has(partition)) continue
        taken.get(topicId)!.add(partition)
        give(share, topicId, partition)
      }
    }
  }
  const free = new Map<string, number[]>()
  for (const { topicId, partitionCount } of topics.values()) {
    const rest = []
    for (let partition = 0; partition < partitionCount; partition++)
      if (!taken.get(topicId)!.has(partition)) rest.push(partition)
    free.set(topicId, rest)
  }
  return free
}

/** One partition at a time, from who has most: what moves goes to where it is to stay. */
function balance(shares: readonly Share[], readersOf: ReadonlyMap<string, readonly Share[]>): void {
  while (moveOne(shares, readersOf));
}

function moveOne(shares: readonly Share[], readersOf: ReadonlyMap<string, readonly Share[]>): boolean {
  for (const share of [...shares].sort((left, right) => right.size - left.size)) {
    for (const [topicId, partitions] of share.has) {
      const to = least(readersOf.get(topicId)!)
      if (partitions.size === 0 || share.size - to.size < 2) continue
      const partition = Math.max(...partitions)
      take(share, topicId, partition)
      give(to, topicId, partition)
      return true
    }
  }
  return false
}

function least(shares: readonly Share[]): Share {
  let found = shares[0]!
  for (const share of shares) if (share.size < found.size) found = share
  return found
}

function give(share: Share, topicId: string, partition: number): void {
  const partitions = share.has.get(topicId)
  if (partitions === undefined) share.has.set(topicId, new Set([partition]))
  else partitions.add(partition)
  share.size++
}

function take(share: Share, topicId: string, partition: number): void {
  share.has.get(topicId)!.delete(partition)
  share.size--
}

const frozen = (share: Share): Partitions =>
  new Map(
    [...share.has]
      .filter(([, partitions]) => partitions.size > 0)
      .map(([topicId, partitions]) => [topicId, [...partitions].sort((left, right) => left - right)]),
  )
