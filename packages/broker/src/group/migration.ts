/**
 * A group with members goes over from the classic protocol to the consumer protocol and back, while they read on (row 96).
 *
 *     upgrade    when the first member of the consumer protocol joins: the others keep what they have, and are asked to
 *                rejoin; from then on classic-requests.ts answers them
 *     downgrade  when the last of them goes: the others keep what they have, and rebalance among themselves
 *
 * `group.consumer.migration.policy` allows each. Groups of the classic protocol that are no consumers' never change.
 */
import { ErrorCode } from "@millrace/protocol"
import { ClassicGroup } from "./classic-group.ts"
import {
  type EmbeddedSubscription,
  readAssignment,
  readSubscription,
  writeAssignment,
} from "./consumer/embedded-protocol.ts"
import { ConsumerGroup } from "./consumer/group.ts"
import { type ConsumerMember, newMember } from "./consumer/member.ts"
import { difference, noPartitions, type Partitions, union } from "./consumer/partitions.ts"
import type { ConsumerGroupRecord } from "./consumer/records.ts"
import { replayConsumerGroup } from "./consumer/replay.ts"
import { disarmMember } from "./consumer/requests.ts"
import { armSession } from "./consumer/step.ts"
import { subscribedHash } from "./consumer/subscribed.ts"
import { removeConsumerGroup, removeMember } from "./consumer/tombstones.ts"
import { removeGroup } from "./expiry.ts"
import type { GroupShardState } from "./group-state.ts"
import { type Member, metadataOf, noAssignment, selectProtocol } from "./member.ts"
import type { Fault } from "./member-place.ts"
import { Rebalance } from "./rebalance.ts"
import type { GroupMetadata } from "./records.ts"
import { type GroupOutcome, timerKey } from "./requests.ts"
import { joinRefusal, syncRefusal } from "./responses.ts"
import { consumerProtocolType } from "./subscriptions.ts"

/** Makes a classic group a consumer group, because a member, perhaps a static one, joins with that protocol. */
export function upgrade(
  shard: GroupShardState,
  classic: ClassicGroup,
  instanceId: string | null,
  out: GroupOutcome,
): ConsumerGroup | Fault {
  const { groupId } = classic
  const members = upgradedMembers(shard, classic, instanceId)
  if ("errorCode" in members) return members
  removeGroup(shard, classic, out)
  for (const member of classic.members.values()) letGo(classic, member, out)
  out.disarm(timerKey.join(groupId))
  out.disarm(timerKey.sync(groupId))
  const group = new ConsumerGroup(groupId, shard.undo)
  shard.consumerGroups.set(groupId, group)
  const { generation } = classic
  const metadataHash = subscribedHash(members, new Map(), shard.topics)
  const records: ConsumerGroupRecord[] = [
    { type: "consumer-group", group: groupId, value: { groupEpoch: generation, metadataHash } },
  ]
  for (const member of members) {
    const { memberId, assigned } = member
    records.push(
      { type: "consumer-member", group: groupId, memberId, value: member },
      { type: "consumer-target", group: groupId, memberId, value: assigned },
      { type: "consumer-current", group: groupId, memberId, value: member },
    )
    armSession(shard, groupId, member, out)
  }
  records.push({ type: "consumer-assignment-epoch", group: groupId, value: generation })
  for (const record of records) out.records.push(record)
  // The member that joins finds them here.
  for (const record of records) replayConsumerGroup(shard, record)
  return group
}

/** Every member with what it has: at its target, unless it was caught giving partitions up. */
function upgradedMembers(
  { config, topics }: GroupShardState,
  classic: ClassicGroup,
  instanceId: string | null,
): ConsumerMember[] | Fault {
  const { groupId, generation } = classic
  const refused = (why: string): Fault => ({
    errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
    message: `group ${groupId} is of the classic protocol, and ${why}`,
  })
  const policy = config["group.consumer.migration.policy"]
  if (policy !== "bidirectional" && policy !== "upgrade")
    return refused(`group.consumer.migration.policy is ${policy}: it stays so while it has members`)
  if (classic.protocolType !== consumerProtocolType) return refused(`its members are no consumers`)
  const sizeMax = config["group.consumer.max.size"]
  const isFull = classic.members.size >= sizeMax
  if (isFull && (instanceId === null || classic.staticMemberId(instanceId) === undefined))
    return {
      errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED,
      message: `group ${groupId} has ${classic.members.size} members: of a consumer group there may be ${sizeMax}`,
    }
  // In the middle of a rebalance somebody new need not know the one that the group has chosen before.
  const protocol = selectProtocol([...classic.members.values()]) ?? classic.protocol ?? ""
  const found: Upgrading[] = []
  for (const member of classic.members.values()) {
    const { memberId } = member
    const subscription = readSubscription(metadataOf(member, protocol), topics)
    const assignment = readAssignment(member.assignment, topics)
    if (subscription === undefined || assignment === undefined)
      return refused(`what member ${memberId} subscribes to or has cannot be read`)
    if (assignment.hasUserData)
      return refused(`its assignor ${protocol} says more than partitions, which would be lost`)
    found.push({ member, subscription, assigned: assignment.partitions })
  }
  let taken = found.reduce((all, { assigned }) => union(all, assigned), noPartitions)
  return found.map(({ member, subscription, assigned }) => {
    const kept = difference(subscription.owned, taken)
    taken = union(taken, kept)
    return {
      ...newMember(member.memberId),
      instanceId: member.groupInstanceId,
      rackId: subscription.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      topicNames: subscription.topicNames,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      classic: { sessionTimeoutMs: member.sessionTimeoutMs, protocols: member.protocols },
      memberEpoch: generation,
      previousMemberEpoch: generation,
      ...holdings(member, assigned, kept),
    }
  })
}

interface Upgrading {
  readonly member: Member
  readonly subscription: EmbeddedSubscription
  /** By its leader. */
  readonly assigned: Partitions
}

/**
 * A cooperative member reads on, until it rejoins, what its leader took from it and so gave to nobody yet: it has that to give
 * up. Where assignments were cancelled, nobody took it away.
 */
function holdings({ assignment }: Member, assigned: Partitions, kept: Partitions): Partial<ConsumerMember> {
  if (kept.size === 0) return { assigned }
  if (assignment.length === 0) return { assigned: kept }
  return { assigned, state: "UnrevokedPartitions", pendingRevocation: kept }
}

/** Who waits for the classic rebalance hears that there is another. */
function letGo({ groupId }: ClassicGroup, { memberId, joining, syncing }: Member, out: GroupOutcome): void {
  if (joining !== undefined) out.reply(joining, joinRefusal(memberId, ErrorCode.REBALANCE_IN_PROGRESS))
  if (syncing !== undefined) out.reply(syncing, syncRefusal(ErrorCode.REBALANCE_IN_PROGRESS))
  out.disarm(timerKey.session(groupId, memberId))
}

/** Whether a group of these members may be a classic group. */
export function canDowngrade({ config }: GroupShardState, members: readonly ConsumerMember[]): boolean {
  const policy = config["group.consumer.migration.policy"]
  return (
    (policy === "bidirectional" || policy === "downgrade") &&
    members.length > 0 &&
    members.length <= config["group.max.size"] &&
    members.every(({ classic }) => classic !== null)
  )
}

/** Of the group these members stay, all of the classic protocol, and have to rejoin. */
export function downgrade(
  shard: GroupShardState,
  group: ConsumerGroup,
  staying: readonly ConsumerMember[],
  now: number,
  out: GroupOutcome,
): void {
  const { groupId } = group
  const value = classicMetadata(shard, group, staying, now)
  for (const memberId of [...group.members.keys()]) {
    disarmMember(group, memberId, out)
    removeMember(group, memberId, out)
  }
  removeConsumerGroup(group, out)
  out.records.push({ type: "group-metadata", group: groupId, value })
  const classic = new ClassicGroup(groupId, shard.undo)
  classic.persist(value)
  classic.restore()
  shard.consumerGroups.delete(groupId)
  shard.groups.set(groupId, classic)
  const rebalance = new Rebalance(shard.config, classic, now, out)
  for (const member of staying) {
    const { sessionTimeoutMs, protocols } = member.classic!
    classic.update(member.memberId, { protocols })
    rebalance.armSession(member.memberId, sessionTimeoutMs)
  }
  rebalance.prepare()
}

/** The members with what they have, also what they have yet to give up, as if their leader had assigned it. */
function classicMetadata(
  { topics }: GroupShardState,
  { groupEpoch }: ConsumerGroup,
  staying: readonly ConsumerMember[],
  now: number,
): GroupMetadata {
  const protocol = selectProtocol(staying.map(({ classic }) => classic!)) ?? null
  return {
    protocolType: consumerProtocolType,
    generation: groupEpoch,
    protocol,
    // Not settled: should the rebalance be cut short by a restart, there is another.
    leader: null,
    currentStateTimestamp: now,
    members: staying.map((member) => {
      const { memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs, classic } = member
      const subscription = classic!.protocols.find(({ name }) => name === protocol)?.metadata ?? noAssignment
      return {
        memberId,
        groupInstanceId: instanceId,
        clientId,
        clientHost,
        rebalanceTimeout: rebalanceTimeoutMs,
        sessionTimeout: classic!.sessionTimeoutMs,
        subscription,
        assignment: writeAssignment(union(member.assigned, member.pendingRevocation), subscription, topics),
      }
    }),
  }
}
