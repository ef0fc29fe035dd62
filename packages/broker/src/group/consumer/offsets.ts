/** Whether a member of a consumer or streams group may commit or read offsets: its epoch must be the one it was told (row 93). */
import { ErrorCode } from "@millrace/protocol"

export interface Committer {
  readonly memberId: string
  readonly generationIdOrMemberEpoch: number
}

/** What a consumer or a streams group is, as far as offsets are concerned. */
interface EpochGroup {
  readonly members: {
    readonly size: number
    get(memberId: string): { readonly memberEpoch: number } | undefined
  }
}

/** OffsetCommit knows member epochs from this version on; before, its number is a classic generation. */
export const memberEpochFrom = 9

export function commitFault(group: EpochGroup, committer: Committer, knowsEpochs: boolean): ErrorCode {
  const { memberId, generationIdOrMemberEpoch: epoch } = committer
  // Administrators and consumers that assign themselves may write the offsets of a group that nobody is in.
  if (epoch < 0 && group.members.size === 0) return ErrorCode.NONE
  const member = group.members.get(memberId)
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  if (!knowsEpochs) return ErrorCode.UNSUPPORTED_VERSION
  return member.memberEpoch === epoch ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH
}

export function fetchFault(group: EpochGroup, memberId: string | null, memberEpoch: number): ErrorCode {
  // Nobody in particular asks.
  if (memberId === null && memberEpoch < 0) return ErrorCode.NONE
  const member = group.members.get(memberId ?? "")
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  return member.memberEpoch === memberEpoch ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH
}
