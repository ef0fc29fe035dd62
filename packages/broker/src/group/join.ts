/**
 * JoinGroup: enters a group or rejoins it, and waits for the rebalance.
 *
 * KIP-394: from v4 a dynamic member without an id is sent back once with one (row 73). KIP-345: a static member is known by
 * its instance id and takes its old place (row 82). KIP-814: from v9 a returning static leader skips the assignment.
 *
 * Errors: INVALID_GROUP_ID, INVALID_SESSION_TIMEOUT, UNKNOWN_MEMBER_ID, MEMBER_ID_REQUIRED, FENCED_INSTANCE_ID,
 * INCONSISTENT_GROUP_PROTOCOL, GROUP_MAX_SIZE_REACHED.
 */
import { ErrorCode } from "@millrace/protocol"
import type { ClassicGroup } from "./classic-group.ts"
import { joinAsClassic } from "./consumer/classic-requests.ts"
import { removeConsumerGroup } from "./consumer/tombstones.ts"
import { newMemberJoinTimeoutMs } from "./config.ts"
import type { GroupShardState } from "./group-state.ts"
import { type Member, type MemberProtocol, hasProtocols, noAssignment, selectProtocol } from "./member.ts"
import { Rebalance, membersForLeader } from "./rebalance.ts"
import type { GroupOutcome, JoinRequest } from "./requests.ts"
import { joinAnswer, joinRefusal } from "./responses.ts"
import { removeStreamsGroup } from "./streams/leave.ts"

/** From this version on a new dynamic member must come back with the id it is given. */
const memberIdRequiredFrom = 4
const skipAssignmentFrom = 9

export function join(shard: GroupShardState, join: JoinRequest, now: number, out: GroupOutcome): void {
  const { request, token } = join
  const { memberId } = request
  const refuse = (id: string, error: ErrorCode) => void out.reply(token, joinRefusal(id, error))
  if (request.groupId === "") return refuse(memberId, ErrorCode.INVALID_GROUP_ID)
  if (
    request.sessionTimeoutMs < shard.config["group.min.session.timeout.ms"] ||
    request.sessionTimeoutMs > shard.config["group.max.session.timeout.ms"]
  ) {
    return refuse(memberId, ErrorCode.INVALID_SESSION_TIMEOUT)
  }
  const consumerGroup = shard.consumerGroups.get(request.groupId)
  if (consumerGroup !== undefined) {
    // Row 96: an empty group gives way.
    if (consumerGroup.state !== "Empty") {
      if (shard.config["group.consumer.migration.policy"] === "disabled")
        return refuse(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
      return joinAsClassic(shard, consumerGroup, join, now, out)
    }
    removeConsumerGroup(consumerGroup, out)
  }
  const streamsGroup = shard.streamsGroups.get(request.groupId)
  if (streamsGroup !== undefined) {
    if (streamsGroup.state !== "Empty") return refuse(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    removeStreamsGroup(streamsGroup, out)
  }
  if (memberId !== "" && !shard.groups.has(request.groupId)) return refuse(memberId, ErrorCode.UNKNOWN_MEMBER_ID)
  const group = shard.getOrCreate(request.groupId)
  const rebalance = new Rebalance(shard.config, group, now, out)
  if (!accepts(group, memberId, shard.config["group.max.size"])) {
    const member = group.members.get(memberId)
    if (member !== undefined) rebalance.forget(member)
    else group.remove(memberId)
    return refuse("", ErrorCode.GROUP_MAX_SIZE_REACHED)
  }
  const names = request.protocols.map(({ name }) => name)
  if (!group.supports(request.protocolType, names)) return refuse(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  if (memberId === "") joinNew(group, rebalance, join, out)
  else joinKnown(group, rebalance, join, out)
}

/** An empty group takes anyone. A full one takes those who are in, and during a rebalance the first to come. */
function accepts(group: ClassicGroup, memberId: string, sizeMax: number): boolean {
  const member = group.members.get(memberId)
  switch (group.state) {
    case "Empty":
    case "Dead":
      return true
    case "PreparingRebalance":
      return member?.joining !== undefined || group.joiningCount() < sizeMax
    case "CompletingRebalance":
    case "Stable":
      return member !== undefined || group.members.size < sizeMax
  }
}

function joinNew(group: ClassicGroup, rebalance: Rebalance, join: JoinRequest, out: GroupOutcome): void {
  const { request, context, token, freshId } = join
  const { groupInstanceId } = request
  const memberId = `${shortened(groupInstanceId ?? context.clientId)}-${freshId}`
  if (groupInstanceId === null && context.apiVersion >= memberIdRequiredFrom) {
    group.pendingMembers.set(memberId, true)
    rebalance.armSession(memberId, request.sessionTimeoutMs)
    out.reply(token, joinRefusal(memberId, ErrorCode.MEMBER_ID_REQUIRED))
    return
  }
  const place = groupInstanceId === null ? undefined : group.staticMemberId(groupInstanceId)
  if (place === undefined) addMember(group, rebalance, memberId, join)
  else replaceMember(group, rebalance, place, memberId, join, out)
}

function joinKnown(group: ClassicGroup, rebalance: Rebalance, join: JoinRequest, out: GroupOutcome): void {
  const { request, token } = join
  const { memberId, groupInstanceId } = request
  if (group.pendingMembers.has(memberId) && groupInstanceId === null) return addMember(group, rebalance, memberId, join)
  const error = group.validateMember(memberId, groupInstanceId)
  const member = group.members.get(memberId)
  if (error !== ErrorCode.NONE || member === undefined) {
    out.reply(token, joinRefusal(memberId, error))
    return
  }
  const unchanged = hasProtocols(member, request.protocols)
  const leads = memberId === group.leader
  switch (group.state) {
    case "PreparingRebalance":
      return rejoin(group, rebalance, join, out)
    case "CompletingRebalance":
      // Unchanged, it may only have missed the answer: the generation stands (row 76).
      if (!unchanged) return rejoin(group, rebalance, join, out)
      out.reply(token, joinAnswer(group, memberId, leads ? membersForLeader(group) : []))
      return
    case "Stable":
      // A leader rejoins to have partitions assigned anew, for topics have changed.
      if (leads || !unchanged) return rejoin(group, rebalance, join, out)
      out.reply(token, joinAnswer(group, memberId, []))
      return
    case "Empty":
    case "Dead":
      out.reply(token, joinRefusal(memberId, ErrorCode.UNKNOWN_MEMBER_ID))
  }
}

/** Parks the request of a member that is in, and has the group rebalance. */
function rejoin(group: ClassicGroup, rebalance: Rebalance, join: JoinRequest, out: GroupOutcome): void {
  const member = group.members.get(join.request.memberId)
  // The client gave up on an earlier JoinGroup and asks again: only the later one is heard.
  if (member?.joining !== undefined)
    out.reply(member.joining, joinRefusal(member.memberId, ErrorCode.REBALANCE_IN_PROGRESS))
  group.update(join.request.memberId, joiningFields(join))
  rebalance.startOrAdvance()
}

function addMember(group: ClassicGroup, rebalance: Rebalance, memberId: string, join: JoinRequest): void {
  const { request, context } = join
  if (group.state === "PreparingRebalance" && group.previousState === "Empty") group.setNewMemberAdded(true)
  const member: Member = {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: context.clientId,
    clientHost: context.clientHost,
    assignment: noAssignment,
    isNew: true,
    syncing: undefined,
    ...joiningFields(join),
  }
  group.add(member, request.protocolType)
  rebalance.armSession(memberId, newMemberJoinTimeoutMs)
  rebalance.startOrAdvance()
}

/** The process behind a static member was replaced. The old one is fenced at once, wherever it waits. */
function replaceMember(
  group: ClassicGroup,
  rebalance: Rebalance,
  oldMemberId: string,
  memberId: string,
  join: JoinRequest,
  out: GroupOutcome,
): void {
  const { context, token, request } = join
  const leaderBefore = group.leader ?? ""
  rebalance.fence(oldMemberId)
  group.replaceStatic(oldMemberId, memberId)
  group.update(memberId, joiningFields(join))
  rebalance.armSession(memberId, joiningFields(join).sessionTimeoutMs)
  switch (group.state) {
    case "Stable": {
      if (selectProtocol([...group.members.values()]) !== group.protocol) return rebalance.startOrAdvance()
      group.update(memberId, { joining: undefined })
      const skips = context.apiVersion >= skipAssignmentFrom
      const leads = memberId === group.leader
      const answer = joinAnswer(group, memberId, skips && leads ? membersForLeader(group) : [], skips && leads)
      // Before v9 the returning leader must not assign: it is told that the leader is who led before, its old self.
      out.reply(token, skips ? answer : { ...answer, leader: leaderBefore })
      rebalance.record()
      return
    }
    case "CompletingRebalance":
      // The leader may be assigning to the old id right now, and the new one would get nothing (KAFKA-9801).
      return rebalance.prepare()
    case "PreparingRebalance":
      return rebalance.advance()
    case "Empty":
    case "Dead":
      throw new Error(`static member ${request.groupInstanceId} in a group without members`)
  }
}

function joiningFields({ request, token, context }: JoinRequest) {
  return {
    // Before v1 there is no rebalance timeout, and some clients send -1 for none (row 74).
    rebalanceTimeoutMs:
      context.apiVersion === 0 || request.rebalanceTimeoutMs < 0
        ? request.sessionTimeoutMs
        : request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocols: request.protocols.map(({ name, metadata }): MemberProtocol => ({
      name,
      metadata: Uint8Array.from(metadata),
    })),
    joining: token,
  }
}

/** A member's id has to fit a string of the protocol, 32767 bytes, although it is longer than the name it starts with. */
function shortened(name: string): string {
  return Buffer.byteLength(name) <= NAME_BYTES_MAX ? name : name.slice(0, NAME_BYTES_MAX / 3)
}

const NAME_BYTES_MAX = 30_000
