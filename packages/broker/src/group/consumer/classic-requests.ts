/**
 * Members of a consumer group that speak the classic protocol: what their requests come to (KIP-848, row 96).
 *
 * The broker stands in for their leader. JoinGroup is the report that a heartbeat is for the others, and is answered at
 * once: there is nobody to wait for. Its generation is the member's epoch, and SyncGroup tells what the member has. A
 * heartbeat makes no target: it asks the member to rejoin, which makes one, when the group has a later epoch or its topics
 * have changed, when the member has partitions to give up, and when those that it waits for are free. Who does not rejoin,
 * or sync, within its rebalance timeout is out.
 *
 * Errors: as those of the classic protocol, with REBALANCE_IN_PROGRESS where the group has a later epoch.
 */
import { ErrorCode } from "@millrace/protocol"
import type { LeaveGroupRequest } from "@millrace/protocol/messages/leave-group"
import type { GroupShardState } from "../group-state.ts"
import { canDowngrade, downgrade } from "../migration.ts"
import { commonProtocols } from "../member.ts"
import { type Place, placeOfStatic, staticMember } from "../member-place.ts"
import type { BeatRequest, GroupOutcome, JoinRequest, SyncRequest } from "../requests.ts"
import { joinRefusal, syncRefusal } from "../responses.ts"
import { consumerProtocolType } from "../subscriptions.ts"
import { readSubscription, writeAssignment } from "./embedded-protocol.ts"
import type { ConsumerGroup } from "./group.ts"
import { removeMembers } from "./leave.ts"
import { type ClassicMember, type ConsumerMember, newMember } from "./member.ts"
import { has, noPartitions } from "./partitions.ts"
import { consumerTimerKey, endRejoin } from "./requests.ts"
import { armSession, takeStep } from "./step.ts"
import { subscribedHash } from "./subscribed.ts"

/** From this version on a new dynamic member must come back with the id it is given. */
const memberIdRequiredFrom = 4

export function joinAsClassic(
  shard: GroupShardState,
  group: ConsumerGroup,
  join: JoinRequest,
  now: number,
  out: GroupOutcome,
): void {
  const { request, token, context, freshId } = join
  const { groupId } = group
  const refuse = (memberId: string, error: ErrorCode) => void out.reply(token, joinRefusal(memberId, error))
  const memberId = request.memberId === "" ? freshId : request.memberId
  if (isFull(shard, group, join)) return refuse("", ErrorCode.GROUP_MAX_SIZE_REACHED)
  // Any of them may be the one that they have in common when they are a classic group again.
  const subscriptions = request.protocols.map(({ metadata }) => readSubscription(metadata, shard.topics))
  const subscription = subscriptions.includes(undefined) ? undefined : subscriptions[0]
  if (subscription === undefined || !isSupported(group, memberId, join))
    return refuse(request.memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const isNewcomer = request.memberId === "" && request.groupInstanceId === null
  if (isNewcomer && context.apiVersion >= memberIdRequiredFrom) return refuse(memberId, ErrorCode.MEMBER_ID_REQUIRED)
  const place = placeOfClassic(group, memberId, join)
  if (typeof place === "number") return refuse(request.memberId, place)
  const rebalanceTimeoutMs =
    context.apiVersion === 0 || request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs
  // Decoded bytes are views of the request's buffer; the group keeps them.
  const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: Uint8Array.from(metadata) }))
  const { topicNames, rackId, owned } = subscription
  const report = {
    place,
    subscription: {
      instanceId: request.groupInstanceId ?? place.before.instanceId,
      rackId: rackId ?? place.before.rackId,
      clientId: context.clientId,
      clientHost: context.clientHost,
      topicNames,
      topicRegex: null,
      rebalanceTimeoutMs,
      serverAssignor: null,
      classic: { sessionTimeoutMs: request.sessionTimeoutMs, protocols },
    },
    owned,
    maySee: null,
  }
  const after = takeStep(shard, group, report, now, out)
  endRejoin(group, memberId, out)
  out.arm(consumerTimerKey.sync(groupId, memberId), rebalanceTimeoutMs, { kind: "consumer-sync", groupId, memberId })
  out.reply(token, {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    generationId: after.memberEpoch,
    protocolType: consumerProtocolType,
    protocolName: protocols[0]!.name,
    leader: "",
    skipAssignment: false,
    memberId,
    members: [],
  })
}

function isFull({ config }: GroupShardState, group: ConsumerGroup, { request }: JoinRequest): boolean {
  if (group.members.size < config["group.consumer.max.size"]) return false
  return staticMember(group, request.groupInstanceId) === undefined && !group.members.has(request.memberId)
}

/** The members of the classic protocol have one of its protocols in common, so that they can be a classic group again. */
function isSupported(group: ConsumerGroup, memberId: string, { request }: JoinRequest): boolean {
  if (request.protocolType !== consumerProtocolType) return false
  const others = [...group.members.values()].flatMap((member) =>
    member.classic === null || member.memberId === memberId ? [] : [member.classic],
  )
  return commonProtocols([request, ...others]).length > 0
}

/** Who has the id of a dynamic member is that member, or becomes it; a static one without an id takes its old place. */
function placeOfClassic(
  group: ConsumerGroup,
  memberId: string,
  { request }: JoinRequest,
): Place<ConsumerMember> | ErrorCode {
  const { groupInstanceId } = request
  const newcomer = { before: newMember(memberId), isNew: true, replaces: undefined }
  if (groupInstanceId === null) {
    const known = group.members.get(memberId)
    return known === undefined ? newcomer : { before: known, isNew: false, replaces: undefined }
  }
  const holder = staticMember(group, groupInstanceId)
  if (request.memberId === "") return holder === undefined ? newcomer : placeOfStatic(holder, memberId)
  if (holder === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  if (holder.memberId !== memberId) return ErrorCode.FENCED_INSTANCE_ID
  return { before: holder, isNew: false, replaces: undefined }
}

export function syncAsClassic(
  shard: GroupShardState,
  group: ConsumerGroup,
  { request, token }: SyncRequest,
  out: GroupOutcome,
): void {
  const refuse = (error: ErrorCode) => void out.reply(token, syncRefusal(error))
  const { groupId } = group
  const member = classicMember(group, request)
  if (typeof member === "number") return refuse(member)
  const { memberId, memberEpoch, assigned } = member
  if (request.generationId !== memberEpoch) return refuse(ErrorCode.ILLEGAL_GENERATION)
  const [preferred] = member.classic.protocols
  const { protocolType, protocolName } = request
  if (
    (protocolType ?? consumerProtocolType) !== consumerProtocolType ||
    (protocolName ?? preferred!.name) !== preferred!.name
  )
    return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  // It may have to give partitions up first: then it rejoins afterwards.
  if (memberEpoch < group.groupEpoch && member.state !== "UnrevokedPartitions") {
    askToRejoin(group, member, out)
    return refuse(ErrorCode.REBALANCE_IN_PROGRESS)
  }
  out.disarm(consumerTimerKey.sync(groupId, memberId))
  armSession(shard, groupId, member, out)
  const assignment = writeAssignment(assigned, preferred!.metadata, shard.topics)
  out.reply(token, { throttleTimeMs: 0, errorCode: ErrorCode.NONE, protocolType, protocolName, assignment })
}

export function beatAsClassic(
  shard: GroupShardState,
  group: ConsumerGroup,
  { request, token }: BeatRequest,
  now: number,
  out: GroupOutcome,
): void {
  const answer = (errorCode: ErrorCode) => void out.reply(token, { throttleTimeMs: 0, errorCode })
  const member = classicMember(group, request)
  if (typeof member === "number") return answer(member)
  if (request.generationId !== member.memberEpoch) return answer(ErrorCode.ILLEGAL_GENERATION)
  const members = [...group.members.values()]
  // The last member of the consumer protocol came back as one of the classic protocol.
  if (canDowngrade(shard, members)) {
    downgrade(shard, group, members, now, out)
    return answer(ErrorCode.REBALANCE_IN_PROGRESS)
  }
  armSession(shard, group.groupId, member, out)
  if (!hasToRejoin(group, member) && !haveTopicsChanged(shard, group)) return answer(ErrorCode.NONE)
  askToRejoin(group, member, out)
  answer(ErrorCode.REBALANCE_IN_PROGRESS)
}

function hasToRejoin(group: ConsumerGroup, { memberId, memberEpoch, state, assigned }: ConsumerMember): boolean {
  if (memberEpoch < group.groupEpoch || state === "UnrevokedPartitions") return true
  if (state === "Stable") return false
  for (const [topicId, partitions] of group.targets.get(memberId) ?? noPartitions)
    for (const partition of partitions)
      if (!has(assigned, topicId, partition) && group.isOwned(topicId, partition)) return false
  return true
}

/** Since anybody made sure of the group's epoch. */
function haveTopicsChanged({ topics }: GroupShardState, group: ConsumerGroup): boolean {
  if (group.checkedVersion === topics.version) return false
  const members = [...group.members.values()]
  if (subscribedHash(members, group.regexes, topics) !== group.metadataHash) return true
  // What expressions stand for only members of the consumer protocol find out.
  if (members.every(({ topicRegex }) => topicRegex === null)) group.checkedVersion = topics.version
  return false
}

/** It has its rebalance timeout from the first time on. */
function askToRejoin(group: ConsumerGroup, { memberId, rebalanceTimeoutMs }: ConsumerMember, out: GroupOutcome): void {
  if (group.rejoining.has(memberId)) return
  group.rejoining.set(memberId, true)
  const { groupId } = group
  const timeout = { kind: "consumer-rejoin", groupId, memberId } as const
  out.arm(consumerTimerKey.rejoin(groupId, memberId), rebalanceTimeoutMs, timeout)
}

type Leaving = LeaveGroupRequest["members"][number]

/** Administrators may remove members of the consumer protocol so, too. */
export function leaveAsClassic(
  shard: GroupShardState,
  group: ConsumerGroup,
  leaving: readonly Leaving[],
  now: number,
  out: GroupOutcome,
): ErrorCode[] {
  const gone = new Set<string>()
  const errors = leaving.map(({ memberId, groupInstanceId }) => {
    const byInstance = memberId === "" && groupInstanceId !== null
    const member = byInstance ? staticMember(group, groupInstanceId) : memberOf(group, { memberId, groupInstanceId })
    if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (typeof member === "number") return member
    gone.add(member.memberId)
    return ErrorCode.NONE
  })
  if (gone.size > 0) removeMembers(shard, group, gone, now, out)
  return errors
}

interface Asker {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

function memberOf(group: ConsumerGroup, { memberId, groupInstanceId }: Asker): ConsumerMember | ErrorCode {
  if (groupInstanceId === null) return group.members.get(memberId) ?? ErrorCode.UNKNOWN_MEMBER_ID
  const holder = staticMember(group, groupInstanceId)
  if (holder === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  return holder.memberId === memberId ? holder : ErrorCode.FENCED_INSTANCE_ID
}

function classicMember(
  group: ConsumerGroup,
  asker: Asker,
): (ConsumerMember & { readonly classic: ClassicMember }) | ErrorCode {
  const member = memberOf(group, asker)
  if (typeof member === "number") return member
  const { classic } = member
  return classic === null ? ErrorCode.UNKNOWN_MEMBER_ID : { ...member, classic }
}
