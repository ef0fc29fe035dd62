/**
 * Where heartbeats find their members, in groups whose members have epochs: consumer groups (KIP-848) and streams groups
 * (KIP-1071). A member is known, new, or takes the place that a static one left (rows 89, 92).
 */
import { ErrorCode } from "@millrace/protocol"
import type { ClassicGroup } from "./classic-group.ts"
import type { GroupShardState } from "./group-state.ts"

export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1
/** A static member's, which will be back. */
export const STATIC_LEAVE_EPOCH = -2

export const isLeaving = (epoch: number): boolean => epoch === LEAVE_EPOCH || epoch === STATIC_LEAVE_EPOCH

export interface Fault {
  readonly errorCode: ErrorCode
  readonly message: string
}

interface Beat {
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
}

interface EpochMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: string
}

interface EpochGroup<M> {
  readonly groupId: string
  readonly members: { readonly size: number; get(memberId: string): M | undefined; values(): Iterable<M> }
}

export interface Place<M> {
  readonly before: M
  readonly isNew: boolean
  /** The id of the static member whose place it takes. */
  readonly replaces: string | undefined
}

export interface Placing<M> {
  readonly sizeMax: number
  /** A member of that id, before it is in. */
  readonly fresh: (memberId: string) => M
  /** What the heartbeat says the member has is part of what it was given; false when it says nothing. */
  readonly hasPart: (member: M) => boolean
  /** A static member's place may be taken although it has not said that it goes. */
  readonly canTake?: (member: M) => boolean
}

/** The place of a static member, for who comes under another id. */
export function placeOfStatic<M extends EpochMember>(holder: M, memberId: string): Place<M> {
  const epochs = { memberEpoch: JOIN_EPOCH, previousMemberEpoch: JOIN_EPOCH }
  return { before: { ...holder, ...epochs, memberId, state: "Stable" }, isNew: false, replaces: holder.memberId }
}

export function staticMember<M extends EpochMember>(
  { members }: EpochGroup<M>,
  instanceId: string | null,
): M | undefined {
  if (instanceId === null) return undefined
  for (const member of members.values()) if (member.instanceId === instanceId) return member
  return undefined
}

export function placeOf<M extends EpochMember>(
  group: EpochGroup<M>,
  { memberId, memberEpoch, instanceId }: Beat,
  { sizeMax, fresh, hasPart, canTake }: Placing<M>,
): Place<M> | Fault {
  const holder = staticMember(group, instanceId)
  if (holder !== undefined && holder.memberId !== memberId) {
    if (memberEpoch !== JOIN_EPOCH) return fenced(holder)
    if (holder.memberEpoch !== STATIC_LEAVE_EPOCH && canTake?.(holder) !== true)
      return {
        errorCode: ErrorCode.UNRELEASED_INSTANCE_ID,
        message: `instance ${instanceId} is still in use by member ${holder.memberId}`,
      }
    return placeOfStatic(holder, memberId)
  }
  const known = holder ?? (instanceId === null ? group.members.get(memberId) : undefined)
  if (known !== undefined) {
    const fault = epochFault(known, memberEpoch, hasPart)
    return fault ?? { before: known, isNew: false, replaces: undefined }
  }
  if (memberEpoch !== JOIN_EPOCH) return unknown(group, memberId)
  if (group.members.size >= sizeMax)
    return {
      errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED,
      message: `group ${group.groupId} has ${group.members.size} members, the most there may be`,
    }
  return { before: fresh(memberId), isNew: true, replaces: undefined }
}

/** The member that says it leaves. */
export function leaverOf<M extends EpochMember>(group: EpochGroup<M>, { memberId, instanceId }: Beat): M | Fault {
  const holder = staticMember(group, instanceId)
  if (holder !== undefined && holder.memberId !== memberId) return fenced(holder)
  return (instanceId === null ? group.members.get(memberId) : holder) ?? unknown(group, instanceId ?? memberId)
}

const fenced = ({ instanceId, memberId }: EpochMember): Fault => ({
  errorCode: ErrorCode.FENCED_INSTANCE_ID,
  message: `instance ${instanceId} is member ${memberId} now`,
})

const unknown = ({ groupId }: { readonly groupId: string }, id: string): Fault => ({
  errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
  message: `group ${groupId} has no member ${id}`,
})

/**
 * A member may be one answer behind: then its epoch is the previous one, and what it has is part of what it was given.
 * Epoch 0 is a member that starts over.
 */
function epochFault<M extends EpochMember>(
  member: M,
  epoch: number,
  hasPart: (member: M) => boolean,
): Fault | undefined {
  if (epoch === JOIN_EPOCH || epoch === member.memberEpoch) return undefined
  const isBehind = epoch < member.memberEpoch && epoch === member.previousMemberEpoch
  if (isBehind && hasPart(member)) return undefined
  return {
    errorCode: ErrorCode.FENCED_MEMBER_EPOCH,
    message: `member ${member.memberId} is at epoch ${member.memberEpoch}, not ${epoch}: it gives up everything and joins again`,
  }
}

/** The classic group of that id, which gives way to a streams group when it is empty, its offsets kept: members of the two do not mix. */
export function givingWay({ groups }: GroupShardState, groupId: string): ClassicGroup | undefined | Fault {
  const classic = groups.get(groupId)
  if (classic === undefined || (classic.state === "Empty" && classic.pendingMembers.size === 0)) return classic
  return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, message: `group ${groupId} has members of the classic protocol` }
}
