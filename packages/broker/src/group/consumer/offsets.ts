/**
 * Whether a member of a consumer or streams group may commit or read offsets: its epoch must be the one it was told (row 93).
 * A member of the classic protocol knows it as its generation, and is told so.
 */
import { ErrorCode } from "@millrace/protocol"

export interface Committer {
  readonly memberId: string
  readonly generationIdOrMemberEpoch: number
}

interface EpochMember {
  readonly memberEpoch: number
  readonly classic?: unknown
}

/** What a consumer or a streams group is, as far as offsets are concerned. */
interface EpochGroup {
  readonly members: {
    readonly size: number
    get(memberId: string): EpochMember | undefined
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
  if (!knowsEpochs && !isClassic(member)) return ErrorCode.UNSUPPORTED_VERSION
  return epochFault(member, epoch)
}

export function fetchFault(group: EpochGroup, memberId: string | null, memberEpoch: number): ErrorCode {
  // Nobody in particular asks.
  if (memberId === null && memberEpoch < 0) return ErrorCode.NONE
  const member = group.members.get(memberId ?? "")
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  return epochFault(member, memberEpoch)
}

const isClassic = ({ classic }: EpochMember): boolean => classic !== undefined && classic !== null

function epochFault(member: EpochMember, epoch: number): ErrorCode {
  if (member.memberEpoch === epoch) return ErrorCode.NONE
  return isClassic(member) ? ErrorCode.ILLEGAL_GENERATION : ErrorCode.STALE_MEMBER_EPOCH
}
