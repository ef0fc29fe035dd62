/**
 * The groups of one partition of `__consumer_offsets`: routes requests, timers and records to what handles them.
 *
 * Durable state is `offsets`, each classic group's `persisted` metadata, and consumer and streams groups but for what they
 * call soft; the members of classic groups, requests that wait and the state of a rebalance are soft. After a load a classic
 * group is where its record says: Stable with members whose sessions start now, Empty, or in a rebalance that its record
 * says is due. Members of the others go on where they were, and their sessions start now, too.
 */
import {
  type CoordinatorShard,
  type Decision,
  Outcome,
  type RawRecord,
  type RecordContext,
  type TransactionScope,
} from "../coordinator/shard.ts"
import { UndoLog } from "../coordinator/undo.ts"
import { describeConsumerGroups } from "./consumer/describe.ts"
import { consumerHeartbeat } from "./consumer/heartbeat.ts"
import { replayConsumerGroup } from "./consumer/replay.ts"
import { consumerTimerKey } from "./consumer/requests.ts"
import { armSession } from "./consumer/step.ts"
import { describeGroups, listGroups } from "./describe.ts"
import { armCleanup } from "./expiry.ts"
import { type GroupShardOptions, GroupShardState } from "./group-state.ts"
import { heartbeat } from "./heartbeat.ts"
import { join } from "./join.ts"
import { leave } from "./leave.ts"
import { offsetCommit, txnOffsetCommit } from "./offset-commit.ts"
import { offsetFetch } from "./offset-fetch.ts"
import { Rebalance } from "./rebalance.ts"
import { type GroupRecord, decodeGroupRecord, encodeGroupRecord, isStreamsRecord } from "./records.ts"
import { deleteGroups, offsetDelete, topicsDeleted } from "./removal.ts"
import type { GroupOutcome, GroupRequest, GroupTimeout } from "./requests.ts"
import { describeStreamsGroups } from "./streams/describe.ts"
import { armStreamsSession, streamsHeartbeat } from "./streams/heartbeat.ts"
import { replayStreamsGroup } from "./streams/replay.ts"
import { streamsTimerKey } from "./streams/requests.ts"
import { sync } from "./sync.ts"
import { timeout } from "./timeouts.ts"

/** What is asked about groups as they are now: who has not been heard of in time is not in them any more. */
const ABOUT_NOW: ReadonlySet<GroupRequest["kind"]> = new Set([
  ...(["delete", "offset-delete", "list"] as const),
  ...(["describe", "consumer-describe", "streams-describe"] as const),
])

export class GroupShard implements CoordinatorShard<GroupRequest, GroupRecord, GroupTimeout, never> {
  readonly undo = new UndoLog()
  readonly state: GroupShardState

  constructor(options: GroupShardOptions) {
    this.state = new GroupShardState(this.undo, options)
  }

  handle(request: GroupRequest, now: number): Decision<GroupRecord, GroupTimeout, never> {
    const out: GroupOutcome = new Outcome()
    const { state } = this
    switch (request.kind) {
      case "join":
        join(state, request, now, out)
        break
      case "sync":
        sync(state, request, now, out)
        break
      case "heartbeat":
        heartbeat(state, request, now, out)
        break
      case "leave":
        leave(state, request, now, out)
        break
      case "offset-commit":
        offsetCommit(state, request, now, out)
        break
      case "txn-offset-commit":
        txnOffsetCommit(state, request, now, out)
        break
      case "offset-fetch":
        offsetFetch(state, request, out)
        break
      case "offset-delete":
        offsetDelete(state, request, out)
        break
      case "describe":
        describeGroups(state, request, out)
        break
      case "list":
        listGroups(state, request, out)
        break
      case "delete":
        deleteGroups(state, request, out)
        break
      case "consumer-heartbeat":
        consumerHeartbeat(state, request, now, out)
        break
      case "consumer-describe":
        describeConsumerGroups(state, request, out)
        break
      case "streams-heartbeat":
        streamsHeartbeat(state, request, now, out)
        break
      case "streams-describe":
        describeStreamsGroups(state, request, out)
        break
      case "topics-deleted":
        topicsDeleted(state, request, out)
        break
    }
    return out
  }

  dependsOnTime({ kind }: GroupRequest): boolean {
    return ABOUT_NOW.has(kind)
  }

  expire(due: GroupTimeout, now: number): Decision<GroupRecord, GroupTimeout, never> {
    const out: GroupOutcome = new Outcome()
    timeout(this.state, due, now, out)
    return out
  }

  replay(record: GroupRecord, { offset, transaction }: RecordContext): void {
    const { groups, offsets } = this.state
    if (record.type === "group-metadata") {
      if (record.value === null) groups.delete(record.group)
      else this.state.getOrCreate(record.group).persist(record.value)
      return
    }
    if (isStreamsRecord(record)) return replayStreamsGroup(this.state, record)
    if (record.type !== "offset-commit") return replayConsumerGroup(this.state, record)
    const { group, topic, partition, value } = record
    if (value === null) {
      offsets.replayRemoval(group, topic, partition)
      return
    }
    // Offsets without a group: a consumer that assigns itself. The group is there, empty, of no protocol.
    if (!this.state.consumerGroups.has(group) && !this.state.streamsGroups.has(group)) this.state.getOrCreate(group)
    offsets.replayCommit(group, topic, partition, { ...value, recordOffset: offset }, transaction?.producerId)
  }

  replayMarker({ producerId, commit }: TransactionScope & { readonly commit: boolean }): void {
    this.state.offsets.replayMarker(producerId, commit)
  }

  load(now: number): Decision<GroupRecord, GroupTimeout, never> {
    const out: GroupOutcome = new Outcome()
    const { groups, offsets } = this.state
    for (const group of [...groups.values()]) {
      // All its offsets were deleted since, and it never had members: it is not there.
      const gone = group.persisted === null && offsets.topics(group.groupId) === undefined
      if (gone && !offsets.hasOpenTransactions(group.groupId)) groups.delete(group.groupId)
      group.restore()
      const rebalance = new Rebalance(this.state.config, group, now, out)
      for (const member of group.members.values()) rebalance.armSession(member.memberId, member.sessionTimeoutMs)
      if (group.isUnsettled) rebalance.prepare()
    }
    for (const group of [...this.state.consumerGroups.values()]) {
      if (!group.isKept) this.state.consumerGroups.delete(group.groupId)
      for (const member of group.members.values()) {
        const { groupId } = group
        const { memberId, state, memberEpoch, rebalanceTimeoutMs, classic } = member
        armSession(this.state, groupId, member, out)
        if (state !== "UnrevokedPartitions" || classic !== null) continue
        const key = consumerTimerKey.rebalance(groupId, memberId)
        out.arm(key, rebalanceTimeoutMs, { kind: "consumer-rebalance", groupId, memberId, memberEpoch })
      }
    }
    for (const { groupId, isKept, members } of [...this.state.streamsGroups.values()]) {
      if (!isKept) this.state.streamsGroups.delete(groupId)
      for (const { memberId, state, memberEpoch, rebalanceTimeoutMs } of members.values()) {
        armStreamsSession(this.state, groupId, memberId, out)
        if (state !== "UnrevokedTasks") continue
        const key = streamsTimerKey.rebalance(groupId, memberId)
        out.arm(key, rebalanceTimeoutMs, { kind: "streams-rebalance", groupId, memberId, memberEpoch })
      }
    }
    armCleanup(this.state, out)
    return out
  }

  encode(record: GroupRecord): RawRecord {
    return encodeGroupRecord(record)
  }

  decode(record: RawRecord): GroupRecord | undefined {
    return decodeGroupRecord(record)
  }
}
