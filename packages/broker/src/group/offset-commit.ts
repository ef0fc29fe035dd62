/**
 * OffsetCommit and TxnOffsetCommit: positions of a group, with metadata and leader epoch (rows 45, 79, 80).
 *
 * A commit speaks for a member of the current generation, or, without generation and member id, for nobody in
 * particular: administrators and consumers that assign themselves may commit while the group is empty. Transactional
 * commits are also taken without membership, from clients older than KIP-447.
 *
 * Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS,
 * GROUP_ID_NOT_FOUND (OffsetCommit 9+, TxnOffsetCommit 6+), OFFSET_METADATA_TOO_LARGE; of members that have epochs, in
 * consumer and streams groups, STALE_MEMBER_EPOCH (ILLEGAL_GENERATION in a transaction), UNSUPPORTED_VERSION (OffsetCommit
 * before 9).
 */
import { ErrorCode } from "@millrace/protocol"
import type { OffsetCommitRequest } from "@millrace/protocol/messages/offset-commit"
import type { TxnOffsetCommitRequest } from "@millrace/protocol/messages/txn-offset-commit"
import type { ClassicGroup } from "./classic-group.ts"
import { commitFault, memberEpochFrom } from "./consumer/offsets.ts"
import type { GroupShardState } from "./group-state.ts"
import { Rebalance } from "./rebalance.ts"
import type { CommitRequest, GroupOutcome, TxnCommitRequest } from "./requests.ts"
import type { GroupState } from "./state.ts"
import { streamsCommitFault } from "./streams/offsets.ts"

/** What a plain commit by a member of the current generation gets. */
export const commitInState: Record<GroupState, ErrorCode> = {
  Empty: ErrorCode.NONE,
  PreparingRebalance: ErrorCode.NONE,
  // The member has joined the next generation: it must not commit for the last one in its name.
  CompletingRebalance: ErrorCode.REBALANCE_IN_PROGRESS,
  Stable: ErrorCode.NONE,
  Dead: ErrorCode.ILLEGAL_GENERATION,
}

const groupNotFoundFrom = { commit: 9, txnCommit: 6 } as const

interface Committer {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationIdOrMemberEpoch: number
}

export function offsetCommit(shard: GroupShardState, commit: CommitRequest, now: number, out: GroupOutcome): void {
  const { request, token, context } = commit
  const group = shard.groups.get(request.groupId)
  const error =
    epochFaultOf(shard, request, context.apiVersion >= memberEpochFrom) ??
    (group === undefined
      ? validateWithoutGroup(request, context.apiVersion >= groupNotFoundFrom.commit)
      : validate(group, request))
  if (error !== ErrorCode.NONE) {
    out.reply(token, { throttleTimeMs: 0, topics: commitResults(request.topics, () => error) })
    return
  }
  const member = group?.members.get(request.memberId)
  if (group !== undefined && member !== undefined) {
    new Rebalance(shard.config, group, now, out).armSession(member.memberId, member.sessionTimeoutMs)
  }
  // Some say "for ever" with the largest number there is.
  const expireTimestamp =
    request.retentionTimeMs < 0 ? -1 : Math.min(now + request.retentionTimeMs, Number.MAX_SAFE_INTEGER)
  out.reply(token, { throttleTimeMs: 0, topics: record(shard, request, now, expireTimestamp, out) })
}

export function txnOffsetCommit(
  shard: GroupShardState,
  commit: TxnCommitRequest,
  now: number,
  out: GroupOutcome,
): void {
  const { request, token, context } = commit
  const group = shard.groups.get(request.groupId)
  const epochFault = claimsMembership(request) ? epochFaultOf(shard, request, true) : unclaimed(shard, request)
  const error =
    request.groupId === ""
      ? ErrorCode.INVALID_GROUP_ID
      : epochFault !== undefined
        ? inClassicTerms(epochFault)
        : group === undefined
          ? validateWithoutGroup(request, context.apiVersion >= groupNotFoundFrom.txnCommit)
          : validateTransactional(group, request)
  const topics =
    error === ErrorCode.NONE ? record(shard, request, now, -1, out) : commitResults(request.topics, () => error)
  out.reply(token, { throttleTimeMs: 0, topics })
}

/** What a group whose members have epochs says to a commit; undefined when the id is of no such group. */
function epochFaultOf(
  { consumerGroups, streamsGroups }: GroupShardState,
  request: Committer & { readonly groupId: string; readonly topics: CommittedTopics },
  knowsEpochs: boolean,
): ErrorCode | undefined {
  const consumerGroup = consumerGroups.get(request.groupId)
  if (consumerGroup !== undefined) return commitFault(consumerGroup, request, knowsEpochs)
  const streamsGroup = streamsGroups.get(request.groupId)
  return streamsGroup && streamsCommitFault(streamsGroup, request, request.topics, knowsEpochs)
}

/** A transaction that claims no membership (before KIP-447) may commit to a group of any type. */
function unclaimed(
  { consumerGroups, streamsGroups }: GroupShardState,
  { groupId }: { readonly groupId: string },
): ErrorCode | undefined {
  return consumerGroups.has(groupId) || streamsGroups.has(groupId) ? ErrorCode.NONE : undefined
}

/** Transactional commits know no member epochs: a stale one is told as an old generation. */
const inClassicTerms = (errorCode: ErrorCode): ErrorCode =>
  errorCode === ErrorCode.STALE_MEMBER_EPOCH ? ErrorCode.ILLEGAL_GENERATION : errorCode

/** Without the group only those may commit who claim no membership: the commit makes a group of offsets alone. */
function validateWithoutGroup({ generationIdOrMemberEpoch }: Committer, knowsGroupIdNotFound: boolean): ErrorCode {
  if (generationIdOrMemberEpoch < 0) return ErrorCode.NONE
  return knowsGroupIdNotFound ? ErrorCode.GROUP_ID_NOT_FOUND : commitInState.Dead
}

function validate(group: ClassicGroup, committer: Committer): ErrorCode {
  if (committer.generationIdOrMemberEpoch < 0 && group.state === "Empty") return ErrorCode.NONE
  if (!claimsMembership(committer)) return ErrorCode.UNKNOWN_MEMBER_ID
  const error = validateMember(group, committer)
  return error === ErrorCode.NONE ? commitInState[group.state] : error
}

/** The state does not matter here: the transaction ends before its offsets are handed to anyone. */
function validateTransactional(group: ClassicGroup, committer: Committer): ErrorCode {
  if (committer.generationIdOrMemberEpoch < 0 && group.state === "Empty") return ErrorCode.NONE
  return claimsMembership(committer) ? validateMember(group, committer) : ErrorCode.NONE
}

function claimsMembership({ memberId, groupInstanceId, generationIdOrMemberEpoch }: Committer): boolean {
  return generationIdOrMemberEpoch >= 0 || memberId !== "" || groupInstanceId !== null
}

function validateMember(group: ClassicGroup, committer: Committer): ErrorCode {
  const error = group.validateMember(committer.memberId, committer.groupInstanceId)
  if (error !== ErrorCode.NONE) return error
  return committer.generationIdOrMemberEpoch === group.generation ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
}

type CommittedTopics = OffsetCommitRequest["topics"] | TxnOffsetCommitRequest["topics"]

function record(
  shard: GroupShardState,
  request: { readonly groupId: string; readonly topics: CommittedTopics },
  now: number,
  expireTimestamp: number,
  out: GroupOutcome,
) {
  const metadataBytesMax = shard.config["offset.metadata.max.bytes"]
  return commitResults(request.topics, (topic, partition) => {
    const metadata = partition.committedMetadata ?? ""
    if (metadata.length > metadataBytesMax) return ErrorCode.OFFSET_METADATA_TOO_LARGE
    out.records.push({
      type: "offset-commit",
      group: request.groupId,
      topic: topic.name,
      partition: partition.partitionIndex,
      value: {
        offset: partition.committedOffset,
        leaderEpoch: partition.committedLeaderEpoch,
        metadata,
        commitTimestamp: now,
        expireTimestamp,
        topicId: topic.topicId,
      },
    })
    return ErrorCode.NONE
  })
}

type CommittedTopic = CommittedTopics[number]

export function commitResults(
  topics: CommittedTopics,
  result: (topic: CommittedTopic, partition: CommittedTopic["partitions"][number]) => ErrorCode,
) {
  return topics.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map((partition) => ({
      partitionIndex: partition.partitionIndex,
      errorCode: result(topic, partition),
    })),
  }))
}
