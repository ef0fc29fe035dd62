/**
 * A member of a consumer group (KIP-848). A value: changes make a new one, and records put it into the group.
 *
 * `assigned` is what it may read now. `pendingRevocation` is what it was told to give up and has not confirmed yet; nobody
 * else gets that before it does.
 *
 *     Stable                has its target
 *     UnrevokedPartitions   must confirm that it gave partitions up; its epoch stays until then
 *     UnreleasedPartitions  is at the target's epoch, but waits for partitions that others still have
 */
import type { MemberProtocol } from "../member.ts"
import { JOIN_EPOCH } from "../member-place.ts"
import { intersection, noPartitions, type Partitions, sizeOf } from "./partitions.ts"

export const memberStates = ["Stable", "UnrevokedPartitions", "UnreleasedPartitions"] as const
export type MemberState = (typeof memberStates)[number]

/** What a member that speaks the classic protocol said when it joined. */
export interface ClassicMember {
  readonly sessionTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly MemberProtocol[]
}

export interface Subscription {
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly topicNames: readonly string[]
  readonly topicRegex: string | null
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  /** Null for a member of the consumer protocol. */
  readonly classic: ClassicMember | null
}

export interface Current {
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assigned: Partitions
  readonly pendingRevocation: Partitions
}

export interface ConsumerMember extends Subscription, Current {
  readonly memberId: string
}

export const newCurrent: Current = {
  memberEpoch: JOIN_EPOCH,
  previousMemberEpoch: -1,
  state: "Stable",
  assigned: noPartitions,
  pendingRevocation: noPartitions,
}

/** A member of which nothing is known yet: before it says, or before its record is read. */
export const newMember = (memberId: string): ConsumerMember => ({
  ...newCurrent,
  memberId,
  instanceId: null,
  rackId: null,
  clientId: "",
  clientHost: "",
  topicNames: [],
  topicRegex: null,
  rebalanceTimeoutMs: -1,
  serverAssignor: null,
  classic: null,
})

/** What to reconcile a member with. */
export interface Goal {
  readonly epoch: number
  readonly target: Partitions
  /** What the member says it has; null when it said nothing, so that the last report stands. */
  readonly owned: Partitions | null
  /** Whether any member has a partition, or has yet to give it up. */
  isOwned(topicId: string, partition: number): boolean
}

/** The member one step nearer to the goal; the same object when there is no step to take (rows 90, 91). */
export function reconciled(member: ConsumerMember, goal: Goal): ConsumerMember {
  switch (member.state) {
    case "Stable":
      return member.memberEpoch === goal.epoch ? member : next(member, goal)
    case "UnrevokedPartitions":
      if (goal.owned === null || ownsAny(goal.owned, member.pendingRevocation)) return member
      return next(member, goal)
    case "UnreleasedPartitions": {
      const stepped = next(member, goal)
      const isSame =
        stepped.state === member.state &&
        stepped.memberEpoch === member.memberEpoch &&
        sizeOf(stepped.assigned) === sizeOf(member.assigned)
      return isSame ? member : stepped
    }
  }
}

function next(member: ConsumerMember, { epoch, target, owned, isOwned }: Goal): ConsumerMember {
  const keep = intersection(member.assigned, target)
  const revoke = new Map<string, readonly number[]>()
  for (const [topicId, partitions] of member.assigned) {
    const kept = keep.get(topicId) ?? []
    const rest = partitions.filter((partition) => !kept.includes(partition))
    if (rest.length > 0) revoke.set(topicId, rest)
  }
  // A member that says it has none of them, or is new, need not be waited for.
  if (revoke.size > 0 && (owned === null || ownsAny(owned, revoke))) {
    return { ...member, state: "UnrevokedPartitions", assigned: keep, pendingRevocation: revoke }
  }
  const assigned = new Map(keep)
  let waits = false
  for (const [topicId, partitions] of target) {
    const kept = keep.get(topicId) ?? []
    const free: number[] = []
    for (const partition of partitions) {
      if (kept.includes(partition)) continue
      if (isOwned(topicId, partition)) waits = true
      else free.push(partition)
    }
    if (free.length > 0)
      assigned.set(
        topicId,
        [...kept, ...free].sort((left, right) => left - right),
      )
  }
  return {
    ...member,
    memberEpoch: epoch,
    previousMemberEpoch: member.memberEpoch === epoch ? member.previousMemberEpoch : member.memberEpoch,
    state: waits ? "UnreleasedPartitions" : "Stable",
    assigned,
    pendingRevocation: noPartitions,
  }
}

const ownsAny = (owned: Partitions, partitions: Partitions): boolean => intersection(owned, partitions).size > 0
