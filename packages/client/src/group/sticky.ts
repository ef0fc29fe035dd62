/**
 * The sticky strategies, KIP-54 and KIP-429: balanced, and as few partitions as possible change hands.
 *
 * Two faces of one decision. "sticky" is eager: everything is given up before joining, and members tell the leader in
 * their user data what they had. "cooperative-sticky" keeps what stays: a partition that another member still holds is
 * nobody's in this round, and its giving up starts the next. Names and user data are Kafka's, so that Java's consumers
 * can be in the same group.
 *
 * Whose a partition was: of two members that claim it, the one with the later generation; nobody's when both tell the
 * same one, since one of them does not know yet that it lost it.
 */
import { decode, encode } from "@millrace/protocol"
import { CooperativeStickyUserData, StickyUserData } from "@millrace/protocol/records/sticky-assignor"
import type {
  Assignor,
  AssignorCluster,
  GroupMember,
  MemberAssignment,
  Previously,
  TopicPartition,
} from "./assignor.ts"
import { balance, type Divided } from "./balance.ts"

/** What a member says that it had. */
interface Claim extends Previously {
  readonly member: GroupMember
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

function divide(cluster: AssignorCluster, claims: readonly Claim[]): Map<string, Divided[]> {
  const owners = ownersOf(claims)
  const topics = new Set(claims.flatMap(({ member }) => member.topics))
  const partitions = [...topics].toSorted().flatMap((topic) =>
    Array.from({ length: cluster.partitionCount(topic) ?? 0 }, (_, partition) => {
      const previous = owners.get(keyOf({ topic, partition }))
      return { topic, partition, previous: previous?.member.memberId }
    }),
  )
  const ordered = claims.toSorted((left, right) => (left.member.memberId < right.member.memberId ? -1 : 1))
  const claimants = ordered.map(({ member }) => ({ id: member.memberId, topics: new Set(member.topics) }))
  return balance(partitions, claimants)
}

function ownersOf(claims: readonly Claim[]): Map<string, Claim> {
  const owners = new Map<string, Claim>()
  const contested = new Map<string, number>()
  for (const claim of claims) {
    for (const partition of claim.partitions) {
      const key = keyOf(partition)
      const known = owners.get(key)?.generation ?? contested.get(key) ?? -Infinity
      if (claim.generation < known) continue
      if (claim.generation === known) {
        owners.delete(key)
        contested.set(key, known)
      } else owners.set(key, claim)
    }
  }
  return owners
}

const groupByTopic = (partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] =>
  [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))

/** Members of other clients may write what we cannot read: then they had nothing. */
function eagerClaim(member: GroupMember): Claim {
  const { userData } = member
  if (userData === null || userData.length === 0) return { member, partitions: [], generation: -1 }
  for (const version of [1, 0]) {
    try {
      const { previousAssignment, generation } = decode(StickyUserData, version, userData)
      const partitions = previousAssignment.flatMap(({ topic, partitions: list }) =>
        list.map((partition) => ({ topic, partition })),
      )
      return { member, partitions, generation }
    } catch {}
  }
  return { member, partitions: [], generation: -1 }
}

/** Subscriptions below version 2 have no generation of their own. */
function cooperativeClaim(member: GroupMember): Claim {
  const { ownedPartitions: partitions, generationId, userData } = member
  if (generationId >= 0 || userData === null) return { member, partitions, generation: generationId }
  try {
    return { member, partitions, generation: decode(CooperativeStickyUserData, 0, userData).generation }
  } catch {
    return { member, partitions, generation: -1 }
  }
}

const assignmentsOf = (
  divided: ReadonlyMap<string, readonly Divided[]>,
  isGiven: (id: string, partition: Divided) => boolean = () => true,
): Map<string, MemberAssignment> =>
  new Map(
    [...divided].map(([id, list]) => {
      const given = list.filter((one) => isGiven(id, one))
      return [id, { partitions: given.map(({ topic, partition }) => ({ topic, partition })) }]
    }),
  )

export const stickyAssignor: Assignor = {
  name: "sticky",
  protocol: "eager",
  subscriptionUserData: (_, { partitions, generation }) =>
    partitions.length === 0
      ? null
      : encode(StickyUserData, 1, { previousAssignment: groupByTopic(partitions), generation }),
  assign: (cluster, members) => assignmentsOf(divide(cluster, members.map(eagerClaim))),
}

export const cooperativeStickyAssignor: Assignor = {
  name: "cooperative-sticky",
  protocol: "cooperative",
  subscriptionUserData: (_, { generation }) => encode(CooperativeStickyUserData, 0, { generation }),
  assign(cluster, members) {
    const claims = members.map(cooperativeClaim)
    // Whoever still claims a partition, rightly or not, must have given it up before another may have it.
    const holders = new Map<string, Set<string>>()
    for (const { member, partitions } of claims) {
      for (const partition of partitions) {
        const key = keyOf(partition)
        holders.set(key, (holders.get(key) ?? new Set()).add(member.memberId))
      }
    }
    const isFree = (id: string, partition: Divided) =>
      [...(holders.get(keyOf(partition)) ?? [])].every((holder) => holder === id)
    return assignmentsOf(divide(cluster, claims), isFree)
  },
}
