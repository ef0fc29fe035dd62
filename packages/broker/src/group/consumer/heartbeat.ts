/**
 * ConsumerGroupHeartbeat: a member joins, reports what it has, and is told what to have (KIP-848, rows 88 to 96).
 *
 * One heartbeat takes these steps, each a record where it changes something: the member's subscription; the group's epoch,
 * when subscriptions or topics changed; the target, when it is older than the group's epoch; the member's own assignment,
 * one step nearer to the target.
 */
import { ErrorCode } from "@millrace/protocol"
import type { ConsumerGroupHeartbeatRequest } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { removeGroup } from "../expiry.ts"
import type { GroupShardState } from "../group-state.ts"
import { type Fault, givingWay, isLeaving, JOIN_EPOCH, type Place, placeOf } from "../member-place.ts"
import type { GroupOutcome } from "../requests.ts"
import { assignors, preferredAssignor } from "./assignors.ts"
import { ConsumerGroup } from "./group.ts"
import { leave } from "./leave.ts"
import { type ConsumerMember, newCurrent, reconciled, type Subscription } from "./member.ts"
import { equal, isSubset, noPartitions, type Partitions, partitionsOf, topicPartitions } from "./partitions.ts"
import { beatRefusal } from "./refusal.ts"
import { type ConsumerBeat, consumerTimerKey } from "./requests.ts"
import { assignorMember, type Regexes, resolveRegexes, subscribedHash } from "./subscribed.ts"
import { requestFault } from "./validation.ts"

export function consumerHeartbeat(shard: GroupShardState, beat: ConsumerBeat, now: number, out: GroupOutcome): void {
  const { request, token, context } = beat
  const refuse = ({ errorCode, message }: Fault) => void out.reply(token, beatRefusal(errorCode, message))
  const fault = requestFault(request, context.apiVersion)
  if (fault !== undefined) return refuse(fault)
  if (isLeaving(request.memberEpoch)) return leave(shard, beat, out)
  const group = groupFor(shard, request, out)
  if (!(group instanceof ConsumerGroup)) return refuse(group)
  const memberId = request.memberId === "" ? beat.freshId : request.memberId
  const owned = request.topicPartitions && partitionsOf(request.topicPartitions)
  const place = placeOf(
    group,
    { ...request, memberId },
    {
      sizeMax: shard.config["group.consumer.max.size"],
      fresh: (id) => fresh(id, beat),
      hasPart: ({ assigned }) => owned !== null && isSubset(owned, assigned),
    },
  )
  if ("errorCode" in place) return refuse(place)
  new Step(shard, group, place, beat, now, out).take()
}

function groupFor(
  shard: GroupShardState,
  { groupId, memberEpoch }: ConsumerGroupHeartbeatRequest,
  out: GroupOutcome,
): ConsumerGroup | Fault {
  const existing = shard.consumerGroups.get(groupId)
  if (existing !== undefined) return existing
  const errorCode = ErrorCode.GROUP_ID_NOT_FOUND
  if (memberEpoch !== JOIN_EPOCH) return { errorCode, message: `there is no group ${groupId}` }
  if (shard.streamsGroups.has(groupId)) return { errorCode, message: `group ${groupId} is not a consumer group` }
  const classic = givingWay(shard, groupId)
  if (classic !== undefined) {
    if ("errorCode" in classic) return classic
    removeGroup(shard, classic, out)
  }
  return new ConsumerGroup(groupId, shard.undo)
}

function fresh(memberId: string, { request, context }: ConsumerBeat): ConsumerMember {
  return {
    ...newCurrent,
    memberId,
    instanceId: request.instanceId,
    rackId: null,
    clientId: context.clientId,
    clientHost: context.clientHost,
    topicNames: [],
    topicRegex: null,
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
  }
}

class Step {
  readonly #shard: GroupShardState
  readonly #group: ConsumerGroup
  readonly #place: Place<ConsumerMember>
  readonly #beat: ConsumerBeat
  readonly #now: number
  readonly #out: GroupOutcome
  #regexes: Regexes

  constructor(
    shard: GroupShardState,
    group: ConsumerGroup,
    place: Place<ConsumerMember>,
    beat: ConsumerBeat,
    now: number,
    out: GroupOutcome,
  ) {
    this.#shard = shard
    this.#group = group
    this.#place = place
    this.#beat = beat
    this.#now = now
    this.#out = out
    this.#regexes = group.regexes
  }

  take(): void {
    const { request, context } = this.#beat
    const { before, isNew, replaces } = this.#place
    const { groupId } = this.#group
    if (replaces !== undefined) this.#replace(replaces, before)
    const subscription = subscribed(before, request, context)
    const member: ConsumerMember = { ...before, ...subscription }
    if (isNew || replaces !== undefined || !sameSubscription(before, member)) {
      this.#out.records.push({
        type: "consumer-member",
        group: groupId,
        memberId: member.memberId,
        value: subscription,
      })
    }
    const epoch = this.#groupEpoch(member)
    const target = this.#target(member, epoch)
    const after = reconciled(member, {
      epoch,
      target,
      owned: request.topicPartitions && partitionsOf(request.topicPartitions),
      // The place it takes over counts as its own.
      isOwned: (topicId, partition) => this.#group.isOwned(topicId, partition),
    })
    if (isNew || after !== member) {
      this.#out.records.push({ type: "consumer-current", group: groupId, memberId: after.memberId, value: after })
    }
    this.#armTimers(after)
    this.#answer(after)
  }

  #replace(oldId: string, before: ConsumerMember): void {
    const { groupId, targets } = this.#group
    const { records } = this.#out
    const target = targets.get(oldId) ?? noPartitions
    records.push(
      { type: "consumer-current", group: groupId, memberId: oldId, value: null },
      { type: "consumer-target", group: groupId, memberId: oldId, value: null },
      { type: "consumer-member", group: groupId, memberId: oldId, value: null },
      { type: "consumer-target", group: groupId, memberId: before.memberId, value: target },
      { type: "consumer-current", group: groupId, memberId: before.memberId, value: before },
    )
    this.#out.disarm(consumerTimerKey.session(groupId, oldId))
    this.#out.disarm(consumerTimerKey.rebalance(groupId, oldId))
  }

  /** The members as they are after this heartbeat. */
  *#members(member: ConsumerMember): Iterable<ConsumerMember> {
    for (const other of this.#group.members.values())
      if (other.memberId !== member.memberId && other.memberId !== this.#place.replaces) yield other
    yield member
  }

  /** One more than before when the subscriptions, or the topics subscribed to, have changed. */
  #groupEpoch(member: ConsumerMember): number {
    const group = this.#group
    const { topics, patterns } = this.#shard
    const { before, isNew } = this.#place
    const readsOther = isNew || !sameTopics(before, member) || before.serverAssignor !== member.serverAssignor
    if (!readsOther && group.checkedVersion === topics.version) return group.groupEpoch
    const members = [...this.#members(member)]
    const { maySee } = this.#beat
    const now = this.#now
    const { all, changed, isComplete } = resolveRegexes(group, members, { topics, patterns, now, maySee })
    this.#regexes = all
    for (const [regex, value] of changed)
      this.#out.records.push({ type: "consumer-regex", group: group.groupId, regex, value })
    if (isComplete) group.checkedVersion = topics.version
    const metadataHash = subscribedHash(members, all, topics)
    if (!readsOther && changed.size === 0 && metadataHash === group.metadataHash) return group.groupEpoch
    const groupEpoch = group.groupEpoch + 1
    this.#out.records.push({ type: "consumer-group", group: group.groupId, value: { groupEpoch, metadataHash } })
    return groupEpoch
  }

  /** The member's target, made anew for all when it is older than the group's epoch. */
  #target(member: ConsumerMember, groupEpoch: number): Partitions {
    const group = this.#group
    const { groupId } = group
    const current = group.targets.get(this.#place.replaces ?? member.memberId) ?? noPartitions
    if (groupEpoch <= group.assignmentEpoch) return current
    const { topics } = this.#shard
    const members = [...this.#members(member)]
    const assign = assignors.get(preferredAssignor(members.map(({ serverAssignor }) => serverAssignor)))!
    const made = assign(
      members.map((one) => {
        const described = assignorMember(one, group, this.#regexes, topics)
        return one === member ? { ...described, target: current } : described
      }),
    )
    for (const [memberId, target] of made) {
      const old = memberId === member.memberId ? current : group.targets.get(memberId)
      if (old === undefined || !equal(old, target))
        this.#out.records.push({ type: "consumer-target", group: groupId, memberId, value: target })
    }
    this.#out.records.push({ type: "consumer-assignment-epoch", group: groupId, value: groupEpoch })
    return made.get(member.memberId) ?? noPartitions
  }

  #armTimers({ memberId, state, memberEpoch, rebalanceTimeoutMs }: ConsumerMember): void {
    const { groupId } = this.#group
    armSession(this.#shard, groupId, memberId, this.#out)
    const key = consumerTimerKey.rebalance(groupId, memberId)
    if (state !== "UnrevokedPartitions") this.#out.disarm(key)
    else if (this.#place.before.state !== "UnrevokedPartitions")
      this.#out.arm(key, rebalanceTimeoutMs, { kind: "consumer-rebalance", groupId, memberId, memberEpoch })
  }

  /** The assignment goes along when it changed, or when the member told everything and so wants to hear everything. */
  #answer(after: ConsumerMember): void {
    const { request, token } = this.#beat
    const isFull =
      request.memberEpoch === JOIN_EPOCH ||
      (request.rebalanceTimeoutMs !== -1 &&
        (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
        request.topicPartitions !== null)
    const isBehind = request.memberEpoch !== this.#place.before.memberEpoch
    const isTold = isFull || isBehind || !equal(this.#place.before.assigned, after.assigned)
    this.#out.reply(token, {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      memberId: after.memberId,
      memberEpoch: after.memberEpoch,
      heartbeatIntervalMs: this.#shard.configOf(this.#group.groupId)["consumer.heartbeat.interval.ms"],
      assignment: isTold ? { topicPartitions: topicPartitions(after.assigned) } : null,
    })
  }
}

export function armSession(shard: GroupShardState, groupId: string, memberId: string, out: GroupOutcome): void {
  const timeout = shard.configOf(groupId)["consumer.session.timeout.ms"]
  out.arm(consumerTimerKey.session(groupId, memberId), timeout, { kind: "consumer-session", groupId, memberId })
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
  }
}

const sameTopics = (left: Subscription, right: Subscription): boolean =>
  left.topicRegex === right.topicRegex &&
  left.topicNames.length === right.topicNames.length &&
  left.topicNames.every((name, at) => name === right.topicNames[at])

const sameSubscription = (left: Subscription, right: Subscription): boolean =>
  sameTopics(left, right) &&
  left.instanceId === right.instanceId &&
  left.rackId === right.rackId &&
  left.clientId === right.clientId &&
  left.clientHost === right.clientHost &&
  left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
  left.serverAssignor === right.serverAssignor
