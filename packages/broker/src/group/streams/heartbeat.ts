/**
 * StreamsGroupHeartbeat: a member joins with its topology, reports what it runs, and is told what to run (KIP-1071).
 *
 * One heartbeat takes these steps, each a record where it changes something: the member; the topology, which the first one
 * brings; the topics that it needs, against those there are; the group's epoch; the target, when it is older than the
 * group's epoch; the member's own tasks, one step nearer to the target.
 */
import { ErrorCode } from "@millrace/protocol"
import type { StreamsGroupHeartbeatRequest } from "@millrace/protocol/messages/streams-group-heartbeat"
import type { GroupConfig } from "../../config/group.ts"
import { metadataHash } from "../consumer/topics.ts"
import type { GroupShardState } from "../group-state.ts"
import { type Fault, isLeaving, JOIN_EPOCH, type Place, placeOf } from "../member-place.ts"
import type { GroupOutcome } from "../requests.ts"
import { type StreamsGroupStatus, StreamsStatus } from "@millrace/protocol/streams-status"
import { type ConfiguredTopology, configuredTopology } from "./configured-topology.ts"
import { partitionsByEndpoint } from "./endpoints.ts"
import type { StreamsGroup } from "./group.ts"
import { leaveStreams } from "./leave.ts"
import {
  type KeyValue,
  newStreamsMember,
  reconciled,
  type StreamsMember,
  type StreamsMemberMetadata,
} from "./member.ts"
import { streamsGroupFor } from "./group-for.ts"
import { streamsBeatAnswer } from "./refusal.ts"
import { type StreamsBeat, streamsTimerKey } from "./requests.ts"
import { makeTarget } from "./target.ts"
import { commonTasks, equalTasks, noTasks, taskLists, type Tasks } from "./tasks.ts"
import { requiredTopics, sameTopology, type Topology } from "./topology.ts"
import { ownedTasks, requestFault, tasksFault } from "./validation.ts"

export function streamsHeartbeat(shard: GroupShardState, beat: StreamsBeat, now: number, out: GroupOutcome): void {
  const { request, token } = beat
  const refuse = ({ errorCode, message }: Fault) =>
    void out.reply(token, { response: streamsBeatAnswer(errorCode, message), missing: [] })
  const invalid = requestFault(request)
  if (invalid !== undefined) return refuse(invalid)
  if (isLeaving(request.memberEpoch)) return leaveStreams(shard, beat, out)
  const found = streamsGroupFor(shard, request)
  if ("errorCode" in found) return refuse(found)
  const { group } = found
  const owned = ownedTasks(request)
  const place = placeOf(group, request, {
    sizeMax: shard.config["group.streams.max.size"],
    fresh: newStreamsMember,
    hasPart: ({ assigned }) => owned !== null && equalTasks(commonTasks(owned, assigned), owned),
  })
  if ("errorCode" in place) return refuse(place)
  const topology = topologyOf(group, request)
  if ("errorCode" in topology) return refuse(topology)
  const configured = configuredTopology(shard, group, topology)
  if ("errorCode" in configured) return refuse(configured)
  const fault = configured.status === undefined ? tasksFault(configured, owned) : undefined
  if (fault !== undefined) return refuse(fault)
  found.claim(out)
  new Step(shard, group, place, { topology, configured }, beat, now, out).take()
}

/** The group's topology: the first member's; later ones may be older, but not other. */
function topologyOf(group: StreamsGroup, { topology, groupId }: StreamsGroupHeartbeatRequest): Topology | Fault {
  const known = group.topology
  if (topology === null)
    return known ?? { errorCode: ErrorCode.INVALID_REQUEST, message: `group ${groupId} has no topology yet` }
  if (known === null) return topology
  if (known.epoch > topology.epoch || sameTopology(known, topology)) return known
  return { errorCode: ErrorCode.INVALID_REQUEST, message: "Topology updates are not supported yet." }
}

interface Plan {
  readonly topology: Topology
  readonly configured: ConfiguredTopology
}

class Step {
  readonly #shard: GroupShardState
  readonly #group: StreamsGroup
  readonly #place: Place<StreamsMember>
  readonly #plan: Plan
  readonly #beat: StreamsBeat
  readonly #now: number
  readonly #out: GroupOutcome
  readonly #status: StreamsGroupStatus[] = []

  constructor(
    shard: GroupShardState,
    group: StreamsGroup,
    place: Place<StreamsMember>,
    plan: Plan,
    beat: StreamsBeat,
    now: number,
    out: GroupOutcome,
  ) {
    this.#shard = shard
    this.#group = group
    this.#place = place
    this.#plan = plan
    this.#beat = beat
    this.#now = now
    this.#out = out
  }

  take(): void {
    const { request, context } = this.#beat
    const { before, isNew, replaces } = this.#place
    const group = this.#group
    const { groupId } = group
    const { topology, configured } = this.#plan
    const { records } = this.#out
    if (replaces !== undefined) this.#replace(replaces, before)
    const metadata = reported(before, request, context)
    const member: StreamsMember = { ...before, ...metadata }
    const changed = isNew || replaces !== undefined || !sameMetadata(before, member)
    if (changed) records.push({ type: "streams-member", group: groupId, memberId: member.memberId, value: metadata })
    if (group.topology === null) records.push({ type: "streams-topology", group: groupId, value: topology })
    else if (member.topologyEpoch < topology.epoch) {
      const statusDetail = `The member's topology epoch ${member.topologyEpoch} is behind the group's topology epoch ${topology.epoch}.`
      this.#status.push({ statusCode: StreamsStatus.STALE_TOPOLOGY, statusDetail })
    }
    group.soften({ configured, checkedVersion: this.#shard.topics.version })
    this.#noteOffsets(member.memberId)
    const epoch = this.#groupEpoch(isNew || asksForOther(before, member))
    this.#delayFirst()
    const goal = this.#target(member, epoch)
    const after = reconciled(member, {
      ...goal,
      owned: ownedTasks(request),
      isHeld: (role, id, partition) => group.isHeld(member.processId, role, id, partition),
    })
    if (isNew || after !== member)
      records.push({ type: "streams-current", group: groupId, memberId: after.memberId, value: after })
    if (request.shutdownApplication) group.soften({ shutdownBy: member.memberId })
    this.#armTimers(after)
    this.#answer(after)
  }

  #replace(oldId: string, before: StreamsMember): void {
    const { groupId, targets, taskOffsets } = this.#group
    const { memberId } = before
    taskOffsets.delete(oldId)
    this.#out.records.push(
      { type: "streams-current", group: groupId, memberId: oldId, value: null },
      { type: "streams-target", group: groupId, memberId: oldId, value: null },
      { type: "streams-member", group: groupId, memberId: oldId, value: null },
      { type: "streams-target", group: groupId, memberId, value: targets.get(oldId) ?? noTasks },
      { type: "streams-current", group: groupId, memberId, value: before },
    )
    this.#out.disarm(streamsTimerKey.session(groupId, oldId))
    this.#out.disarm(streamsTimerKey.rebalance(groupId, oldId))
  }

  #noteOffsets(memberId: string): void {
    const { taskOffsets, taskEndOffsets } = this.#beat.request
    if (taskOffsets === null && taskEndOffsets === null) return
    const known = this.#group.taskOffsets.get(memberId)
    this.#group.taskOffsets.set(memberId, {
      taskOffsets: taskOffsets ?? known?.taskOffsets ?? [],
      taskEndOffsets: taskEndOffsets ?? known?.taskEndOffsets ?? [],
    })
  }

  /** The members as they are after this heartbeat. */
  *#members(member: StreamsMember): Iterable<StreamsMember> {
    for (const other of this.#group.members.values())
      if (other.memberId !== member.memberId && other.memberId !== this.#place.replaces) yield other
    yield member
  }

  /** One more than before when members, topics or settings ask for another assignment. */
  #groupEpoch(asksForOther: boolean): number {
    const { metadata, groupId } = this.#group
    const { topology, configured } = this.#plan
    const { topics } = this.#shard
    const validatedTopologyEpoch = configured.status === undefined ? topology.epoch : -1
    const hash = metadataHash([...requiredTopics(topology)].flatMap((name) => topics.byName(name) ?? []))
    const assignmentConfigs = this.#assignmentConfigs()
    const isSame =
      !asksForOther &&
      hash === metadata.metadataHash &&
      validatedTopologyEpoch === metadata.validatedTopologyEpoch &&
      JSON.stringify(assignmentConfigs) === JSON.stringify(metadata.assignmentConfigs)
    if (isSame) return metadata.groupEpoch
    const groupEpoch = metadata.groupEpoch + 1
    const value = { groupEpoch, metadataHash: hash, validatedTopologyEpoch, assignmentConfigs }
    this.#out.records.push({ type: "streams-group", group: groupId, value })
    return groupEpoch
  }

  get #config(): GroupConfig {
    return this.#shard.configOf(this.#group.groupId)
  }

  get #standbyReplicas(): number {
    return this.#config["streams.num.standby.replicas"]
  }

  #assignmentConfigs(): KeyValue[] {
    return [{ key: "num.standby.replicas", value: String(this.#standbyReplicas) }]
  }

  /** Instances that start together are waited for, so that tasks do not move right after they began. */
  #delayFirst(): void {
    const { groupId, members, soft } = this.#group
    const delay = this.#config["streams.initial.rebalance.delay.ms"]
    if (members.size > 0 || delay === 0 || soft.isDelayed) return
    this.#group.soften({ isDelayed: true })
    this.#out.arm(streamsTimerKey.initialRebalance(groupId), delay, { kind: "streams-initial-rebalance", groupId })
  }

  /** The member's target and its epoch, made anew for all when it is older than the group's epoch. */
  #target(member: StreamsMember, groupEpoch: number): { readonly epoch: number; readonly target: Tasks } {
    const { assignmentEpoch, targets, soft } = this.#group
    const { memberId } = member
    if (soft.isDelayed) {
      const statusDetail = "Assignment delayed due to the configured initial rebalance delay."
      this.#status.push({ statusCode: StreamsStatus.ASSIGNMENT_DELAYED, statusDetail })
      return { epoch: assignmentEpoch, target: noTasks }
    }
    const current = targets.get(this.#place.replaces ?? memberId)
    if (groupEpoch <= assignmentEpoch) return { epoch: assignmentEpoch, target: current ?? noTasks }
    const made = makeTarget(
      this.#group,
      {
        groupEpoch,
        members: [...this.#members(member)],
        targetOf: (id) => (id === memberId ? current : targets.get(id)),
        configured: this.#plan.configured,
        standbyReplicas: this.#standbyReplicas,
        now: this.#now,
      },
      this.#out,
    )
    return { epoch: groupEpoch, target: made.get(memberId) ?? noTasks }
  }

  #armTimers({ memberId, state, memberEpoch, rebalanceTimeoutMs }: StreamsMember): void {
    const { groupId } = this.#group
    const { before } = this.#place
    armStreamsSession(this.#shard, groupId, memberId, this.#out)
    const key = streamsTimerKey.rebalance(groupId, memberId)
    if (state !== "UnrevokedTasks") this.#out.disarm(key)
    else if (before.state !== "UnrevokedTasks" || before.memberEpoch !== memberEpoch)
      this.#out.arm(key, rebalanceTimeoutMs, { kind: "streams-rebalance", groupId, memberId, memberEpoch })
  }

  /**
   * The tasks go along when they changed, when the member joins, and when it seems to have missed an answer: its epoch is an
   * older one, or it reports other tasks than it was given.
   */
  #answer(after: StreamsMember): void {
    const { request, token } = this.#beat
    const { before, isNew } = this.#place
    const { topics } = this.#shard
    const config = this.#config
    const { configured, topology } = this.#plan
    const group = this.#group
    const isChanged = !equalTasks(before.assigned, after.assigned)
    const owned = ownedTasks(request)
    const isBehind =
      request.memberEpoch !== before.memberEpoch || (owned !== null && !equalTasks(owned, after.assigned))
    const isTold = request.memberEpoch === JOIN_EPOCH || isBehind || isChanged
    const endpointChanged = JSON.stringify(before.userEndpoint) !== JSON.stringify(after.userEndpoint)
    if (endpointChanged || (isChanged && after.userEndpoint !== null))
      group.soften({ endpointEpoch: group.soft.endpointEpoch + 1 })
    const { endpointEpoch, shutdownBy } = group.soft
    if (configured.status !== undefined) this.#status.push(configured.status)
    if (shutdownBy !== null) {
      const statusDetail = `Streams group member ${shutdownBy} encountered a fatal error and requested a shutdown for the entire application.`
      this.#status.push({ statusCode: StreamsStatus.SHUTDOWN_APPLICATION, statusDetail })
    }
    this.#out.reply(token, {
      response: {
        ...streamsBeatAnswer(ErrorCode.NONE, null),
        memberId: after.memberId,
        memberEpoch: after.memberEpoch,
        heartbeatIntervalMs: config["streams.heartbeat.interval.ms"],
        taskOffsetIntervalMs: config["streams.task.offset.interval.ms"],
        acceptableRecoveryLag: config["streams.acceptable.recovery.lag"],
        status: this.#status,
        ...(isTold ? taskLists(after.assigned) : {}),
        endpointInformationEpoch: isNew && group.members.size === 0 ? 0 : endpointEpoch,
        partitionsByUserEndpoint:
          endpointEpoch === request.endpointInformationEpoch
            ? null
            : partitionsByEndpoint(this.#members(after), topology, topics),
      },
      missing: configured.missing,
    })
  }
}

export function armStreamsSession(shard: GroupShardState, groupId: string, memberId: string, out: GroupOutcome): void {
  const timeout = shard.configOf(groupId)["streams.session.timeout.ms"]
  out.arm(streamsTimerKey.session(groupId, memberId), timeout, { kind: "streams-session", groupId, memberId })
}

/** What is null, or -1, stays as it was; but who joins says whether it can be queried. */
function reported(
  before: StreamsMember,
  request: StreamsGroupHeartbeatRequest,
  context: StreamsBeat["context"],
): StreamsMemberMetadata {
  const isJoining = request.memberEpoch === JOIN_EPOCH
  const tags = request.clientTags ?? before.clientTags
  return {
    instanceId: request.instanceId ?? before.instanceId,
    rackId: request.rackId ?? before.rackId,
    clientId: context.clientId,
    clientHost: context.clientHost,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    topologyEpoch: request.topology?.epoch ?? before.topologyEpoch,
    processId: request.processId ?? before.processId,
    userEndpoint: request.userEndpoint ?? (isJoining ? null : before.userEndpoint),
    clientTags: [...tags].sort((left, right) => (left.key < right.key ? -1 : 1)),
  }
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right)

const sameMetadata = (left: StreamsMemberMetadata, right: StreamsMemberMetadata): boolean =>
  !asksForOtherTasks(left, right) &&
  left.instanceId === right.instanceId &&
  left.clientId === right.clientId &&
  left.clientHost === right.clientHost &&
  left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
  same(left.userEndpoint, right.userEndpoint)

const asksForOtherTasks = (left: StreamsMemberMetadata, right: StreamsMemberMetadata): boolean =>
  left.topologyEpoch !== right.topologyEpoch ||
  left.rackId !== right.rackId ||
  left.processId !== right.processId ||
  !same(left.clientTags, right.clientTags)

/** A static member that comes back, from another host perhaps, gets what it had. */
const asksForOther = (before: StreamsMember, member: StreamsMember): boolean =>
  member.instanceId === null ? !sameMetadata(before, member) : asksForOtherTasks(before, member)
