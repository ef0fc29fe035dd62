/** Where a heartbeat finds its group, and its member: known, new, or in the place that a static member left. */
import { ErrorCode } from "@millrace/protocol"
import type { StreamsGroupHeartbeatRequest } from "@millrace/protocol/messages/streams-group-heartbeat"
import { JOIN_EPOCH, STATIC_LEAVE_EPOCH } from "../consumer/member.ts"
import type { Fault } from "../consumer/validation.ts"
import { removeGroup } from "../expiry.ts"
import type { GroupShardState } from "../group-state.ts"
import type { GroupOutcome } from "../requests.ts"
import { StreamsGroup } from "./group.ts"
import { newStreamsMember, type StreamsMember } from "./member.ts"
import type { StreamsBeat } from "./requests.ts"
import { epochFault, ownedTasks } from "./validation.ts"

interface FoundGroup {
  readonly group: StreamsGroup
  /** Puts a new group into its place, once nothing speaks against the heartbeat. */
  claim(out: GroupOutcome): void
}

export function streamsGroupFor(
  shard: GroupShardState,
  { groupId, memberEpoch }: StreamsGroupHeartbeatRequest,
): FoundGroup | Fault {
  const existing = shard.streamsGroups.get(groupId)
  if (existing !== undefined) return { group: existing, claim: () => {} }
  const errorCode = ErrorCode.GROUP_ID_NOT_FOUND
  if (memberEpoch !== JOIN_EPOCH) return { errorCode, message: `there is no streams group ${groupId}` }
  if (shard.consumerGroups.has(groupId)) return { errorCode, message: `group ${groupId} is not a streams group` }
  const classic = shard.groups.get(groupId)
  // An empty one gives way, its offsets stay. Members of both protocols do not mix.
  if (classic !== undefined && (classic.state !== "Empty" || classic.pendingMembers.size > 0))
    return { errorCode, message: `group ${groupId} has members of the classic protocol` }
  const group = new StreamsGroup(groupId, shard.undo)
  return {
    group,
    claim(out) {
      if (classic !== undefined) removeGroup(shard, classic, out)
      shard.streamsGroups.set(groupId, group)
    },
  }
}

export interface Place {
  readonly before: StreamsMember
  readonly isNew: boolean
  /** The id of the static member whose place it takes. */
  readonly replaces: string | undefined
}

export function placeOf(shard: GroupShardState, group: StreamsGroup, { request }: StreamsBeat): Place | Fault {
  const { memberEpoch, instanceId, memberId } = request
  const holder = instanceId === null ? undefined : group.staticMember(instanceId)
  if (holder !== undefined && holder.memberId !== memberId) {
    if (memberEpoch !== JOIN_EPOCH)
      return {
        errorCode: ErrorCode.FENCED_INSTANCE_ID,
        message: `instance ${instanceId} is member ${holder.memberId} now`,
      }
    if (holder.memberEpoch !== STATIC_LEAVE_EPOCH)
      return {
        errorCode: ErrorCode.UNRELEASED_INSTANCE_ID,
        message: `instance ${instanceId} is still in use by member ${holder.memberId}`,
      }
    const before = {
      ...holder,
      memberId,
      memberEpoch: JOIN_EPOCH,
      previousMemberEpoch: JOIN_EPOCH,
      state: "Stable" as const,
    }
    return { before, isNew: false, replaces: holder.memberId }
  }
  const known = holder ?? group.members.get(memberId)
  if (known === undefined || (instanceId !== null && holder === undefined)) {
    if (memberEpoch !== JOIN_EPOCH)
      return { errorCode: ErrorCode.UNKNOWN_MEMBER_ID, message: `group ${group.groupId} has no member ${memberId}` }
    if (group.members.size >= shard.config["group.streams.max.size"])
      return {
        errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED,
        message: `group ${group.groupId} has ${group.members.size} members, the most there may be`,
      }
    return { before: newStreamsMember(memberId), isNew: true, replaces: undefined }
  }
  const fault = epochFault(known, memberEpoch, ownedTasks(request))
  return fault ?? { before: known, isNew: false, replaces: undefined }
}
