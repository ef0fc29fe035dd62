/**
 * Whether a member of a streams group may commit: at its epoch, or at an older one as long as it has had the tasks that read
 * the partitions since (KIP-1251). So a commit is not refused just because an answer with a newer epoch is on its way.
 */
import { ErrorCode } from "@millrace/protocol"
import { commitFault, type Committer } from "../consumer/offsets.ts"
import type { StreamsGroup } from "./group.ts"
import { taskKey } from "./tasks.ts"
import { readerOf } from "./topology.ts"

interface CommittedTopic {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

export function streamsCommitFault(
  group: StreamsGroup,
  committer: Committer,
  topics: readonly CommittedTopic[],
  knowsEpochs: boolean,
): ErrorCode {
  const fault = commitFault(group, committer, knowsEpochs)
  const member = group.members.get(committer.memberId)
  const { topology } = group
  const epoch = committer.generationIdOrMemberEpoch
  if (fault !== ErrorCode.STALE_MEMBER_EPOCH || member === undefined || topology === null) return fault
  if (epoch > member.memberEpoch) return fault
  const hasHadIt = (topic: string, partition: number) => {
    const reader = readerOf(topology, topic)
    const since = reader && member.assignmentEpochs.get(taskKey(reader.subtopologyId, partition))
    return since !== undefined && since <= epoch
  }
  return topics.every(({ name, partitions }) =>
    partitions.every(({ partitionIndex }) => hasHadIt(name, partitionIndex)),
  )
    ? ErrorCode.NONE
    : fault
}
