/**
 * ConsumerGroupHeartbeat: a member joins, reports what it has, and is told what to have (KIP-848, rows 88 to 96).
 *
 * A group of the classic protocol becomes a consumer group with the first member that speaks this one: see migration.ts.
 */
import { ErrorCode } from "@millrace/protocol"
import type { ConsumerGroupHeartbeatRequest } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { removeGroup } from "../expiry.ts"
import type { GroupShardState } from "../group-state.ts"
import { upgrade } from "../migration.ts"
import { type Fault, isLeaving, JOIN_EPOCH, placeOf } from "../member-place.ts"
import type { GroupOutcome } from "../requests.ts"
import { ConsumerGroup } from "./group.ts"
import { leave } from "./leave.ts"
import { type ConsumerMember, newMember, type Subscription } from "./member.ts"
import { equal, isSubset, partitionsOf, topicPartitions } from "./partitions.ts"
import { beatRefusal } from "./refusal.ts"
import { type ConsumerBeat, endRejoin } from "./requests.ts"
import { takeStep } from "./step.ts"
import { requestFault } from "./validation.ts"

export function consumerHeartbeat(shard: GroupShardState, beat: ConsumerBeat, now: number, out: GroupOutcome): void {
  const { request, token, context } = beat
  const refuse = ({ errorCode, message }: Fault) => void out.reply(token, beatRefusal(errorCode, message))
  const fault = requestFault(request, context.apiVersion)
  if (fault !== undefined) return refuse(fault)
  if (isLeaving(request.memberEpoch)) return leave(shard, beat, now, out)
  const group = groupFor(shard, request, out)
  if (!(group instanceof ConsumerGroup)) return refuse(group)
  const memberId = request.memberId === "" ? beat.freshId : request.memberId
  const owned = request.topicPartitions && partitionsOf(request.topicPartitions)
  const place = placeOf(
    group,
    { ...request, memberId },
    {
      sizeMax: shard.config["group.consumer.max.size"],
      fresh: (id) => ({ ...newMember(id), instanceId: request.instanceId }),
      // Whoever spoke the classic protocol cannot say that it went.
      canTake: ({ classic }) => classic !== null,
      hasPart: ({ assigned }) => owned !== null && isSubset(owned, assigned),
    },
  )
  if ("errorCode" in place) return refuse(place)
  const subscription = subscribed(place.before, request, context)
  const after = takeStep(shard, group, { place, subscription, owned, maySee: beat.maySee }, now, out)
  if (place.before.classic !== null) endRejoin(group, after.memberId, out)
  answer(shard, group, beat, place.before, after, out)
}

function groupFor(
  shard: GroupShardState,
  { groupId, memberEpoch, instanceId }: ConsumerGroupHeartbeatRequest,
  out: GroupOutcome,
): ConsumerGroup | Fault {
  const existing = shard.consumerGroups.get(groupId)
  if (existing !== undefined) return existing
  const errorCode = ErrorCode.GROUP_ID_NOT_FOUND
  if (memberEpoch !== JOIN_EPOCH) return { errorCode, message: `there is no group ${groupId}` }
  if (shard.streamsGroups.has(groupId)) return { errorCode, message: `group ${groupId} is not a consumer group` }
  const classic = shard.groups.get(groupId)
  if (classic !== undefined && classic.state !== "Empty") return upgrade(shard, classic, instanceId, out)
  if (classic !== undefined) removeGroup(shard, classic, out)
  return new ConsumerGroup(groupId, shard.undo)
}

/** The assignment goes along when it changed, or when the member told everything and so wants to hear everything. */
function answer(
  shard: GroupShardState,
  { groupId }: ConsumerGroup,
  { request, token }: ConsumerBeat,
  before: ConsumerMember,
  after: ConsumerMember,
  out: GroupOutcome,
): void {
  const isFull =
    request.memberEpoch === JOIN_EPOCH ||
    (request.rebalanceTimeoutMs !== -1 &&
      (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
      request.topicPartitions !== null)
  const isBehind = request.memberEpoch !== before.memberEpoch
  const isTold = isFull || isBehind || !equal(before.assigned, after.assigned)
  out.reply(token, {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId: after.memberId,
    memberEpoch: after.memberEpoch,
    heartbeatIntervalMs: shard.configOf(groupId)["consumer.heartbeat.interval.ms"],
    assignment: isTold ? { topicPartitions: topicPartitions(after.assigned) } : null,
  })
}

/** What is null, or -1, stays as it was. */
function subscribed(
  before: ConsumerMember,
  request: ConsumerGroupHeartbeatRequest,
  context: ConsumerBeat["context"],
): Subscription {
  return {
    instanceId: request.instanceId ?? before.instanceId,
    rackId: request.rackId ?? before.rackId,
    clientId: context.clientId,
    clientHost: context.clientHost,
    topicNames:
      request.subscribedTopicNames === null ? before.topicNames : [...new Set(request.subscribedTopicNames)].sort(),
    // An empty one takes the expression back.
    topicRegex: request.subscribedTopicRegex === null ? before.topicRegex : request.subscribedTopicRegex || null,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? before.serverAssignor,
    classic: null,
  }
}
