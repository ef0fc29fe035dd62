/** A group shard under test: requests with defaults, and the invariants of groups. */
import { expect } from "vitest"
import { defaults } from "@millrace/config"
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import type { JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { HeartbeatResponse } from "@millrace/protocol/messages/heartbeat"
import type { LeaveGroupResponse } from "@millrace/protocol/messages/leave-group"
import type { OffsetCommitResponse } from "@millrace/protocol/messages/offset-commit"
import type { TxnOffsetCommitResponse } from "@millrace/protocol/messages/txn-offset-commit"
import type { SyncGroupResponse } from "@millrace/protocol/messages/sync-group"
import { type GroupConfig, groupConfig } from "../../src/config/group.ts"
import type { Token } from "../../src/coordinator/shard.ts"
import type { ClassicGroup } from "../../src/group/classic-group.ts"
import type { NamePatterns } from "../../src/coordinator/patterns.ts"
import type { GroupTopics } from "../../src/group/consumer/topics.ts"
import type { GroupCoordinatorConfig } from "../../src/group/config.ts"
import type { GroupRecord } from "../../src/group/records.ts"
import type { FetchedGroup, GroupRequest, GroupTimeout } from "../../src/group/requests.ts"
import { GroupShard } from "../../src/group/shard.ts"
import { ShardHarness } from "../coordinator/shard-harness.ts"

export const testConfig: GroupCoordinatorConfig = {
  "group.initial.rebalance.delay.ms": 3000,
  "group.min.session.timeout.ms": 6000,
  "group.max.session.timeout.ms": 1_800_000,
  "group.max.size": 2_147_483_647,
  "group.consumer.max.size": 2_147_483_647,
  "group.consumer.migration.policy": "bidirectional",
  "group.streams.max.size": 2_147_483_647,
  "offset.metadata.max.bytes": 4096,
  "offsets.retention.minutes": 10_080,
  "offsets.retention.check.interval.ms": 600_000,
  "offsets.commit.timeout.ms": 5000,
}

/** Groups that start at once; otherwise as Kafka's defaults are. */
export const testGroupConfig: GroupConfig = { ...defaults(groupConfig), "streams.initial.rebalance.delay.ms": 0 }

/** Settings of a group's own, which a test may change at any time. */
export type OwnSettings = { -readonly [Name in keyof GroupConfig]?: GroupConfig[Name] }

/** Classic groups know nothing of topics. */
export const noTopics: GroupTopics = { version: 0, byName: () => undefined, byId: () => undefined, names: () => [] }
export const noPatterns: NamePatterns = { matcher: () => undefined }

export const sessionTimeoutMs = 10_000
export const rebalanceTimeoutMs = 60_000

export interface JoinOptions {
  groupId?: string
  memberId?: string
  groupInstanceId?: string | null
  protocolType?: string
  protocols?: { name: string; metadata: Uint8Array }[]
  sessionTimeoutMs?: number
  rebalanceTimeoutMs?: number
  apiVersion?: number
  clientId?: string
}

export const protocol = (name: string, metadata: string | Uint8Array = name) => ({
  name,
  metadata: typeof metadata === "string" ? new TextEncoder().encode(metadata) : metadata,
})

export class GroupHarness extends ShardHarness<GroupRequest, GroupRecord, GroupTimeout, never, GroupShard> {
  #freshId = 0

  constructor(config: Partial<GroupCoordinatorConfig> = {}) {
    super({
      create: () =>
        new GroupShard({
          config: { ...testConfig, ...config },
          configOf: () => testGroupConfig,
          topics: noTopics,
          patterns: noPatterns,
        }),
      durable: ({ state }) => ({
        groups: [...state.groups]
          .filter(([, { persisted }]) => persisted !== null)
          .map(([groupId, { persisted }]) => [groupId, persisted])
          .sort(),
        offsets: state.offsets.dump(),
      }),
      everything: ({ state }) => ({
        groups: [...state.groups].map(([groupId, group]) => [groupId, groupFields(group)]).sort(),
        offsets: state.offsets.dump(),
      }),
      check: ({ state }) => {
        for (const group of state.groups.values()) checkGroup(group)
      },
    })
  }

  group(groupId = "g"): ClassicGroup {
    const group = this.shard.state.groups.get(groupId)
    if (group === undefined) throw new Error(`there is no group ${groupId}`)
    return group
  }

  join(options: JoinOptions = {}): Token<JoinGroupResponse> {
    return this.ask((token) => this.joinRequest(token, options))
  }

  joinRequest(token: Token<JoinGroupResponse>, options: JoinOptions): GroupRequest {
    return {
      kind: "join",
      token,
      context: {
        apiVersion: options.apiVersion ?? 9,
        clientId: options.clientId ?? "client",
        clientHost: "/127.0.0.1",
      },
      freshId: `id${this.#freshId++}`,
      request: {
        groupId: options.groupId ?? "g",
        sessionTimeoutMs: options.sessionTimeoutMs ?? sessionTimeoutMs,
        rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? rebalanceTimeoutMs,
        memberId: options.memberId ?? "",
        groupInstanceId: options.groupInstanceId ?? null,
        protocolType: options.protocolType ?? "consumer",
        protocols: options.protocols ?? [protocol("range")],
        reason: null,
      },
    }
  }

  /** Joins as clients of today do: asks for an id, comes back with it. */
  joinTwice(options: JoinOptions = {}): { memberId: string; token: Token<JoinGroupResponse> } {
    const { memberId } = this.expectAnswer(this.join(options))
    return { memberId, token: this.join({ ...options, memberId }) }
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: Record<string, string> = {},
    options: { groupId?: string; groupInstanceId?: string | null; apiVersion?: number; protocolType?: string } = {},
  ): Token<SyncGroupResponse> {
    return this.ask((token) => ({
      kind: "sync",
      token,
      context: { apiVersion: options.apiVersion ?? 5, clientId: "client", clientHost: "/127.0.0.1" },
      request: {
        groupId: options.groupId ?? "g",
        generationId,
        memberId,
        groupInstanceId: options.groupInstanceId ?? null,
        protocolType: options.protocolType ?? "consumer",
        protocolName: "range",
        assignments: Object.entries(assignments).map(([id, assignment]) => ({
          memberId: id,
          assignment: new TextEncoder().encode(assignment),
        })),
      },
    }))
  }

  heartbeat(memberId: string, generationId: number, groupInstanceId: string | null = null, groupId = "g"): ErrorCode {
    const token = this.ask<HeartbeatResponse>((token) => ({
      kind: "heartbeat",
      token,
      context: { apiVersion: 4, clientId: "client", clientHost: "/127.0.0.1" },
      request: { groupId, generationId, memberId, groupInstanceId },
    }))
    return this.expectAnswer(token).errorCode as ErrorCode
  }

  leave(memberId: string, groupInstanceId: string | null = null, groupId = "g"): ErrorCode {
    const token = this.ask<LeaveGroupResponse>((token) => ({
      kind: "leave",
      token,
      context: { apiVersion: 5, clientId: "client", clientHost: "/127.0.0.1" },
      request: { groupId, memberId: "", members: [{ memberId, groupInstanceId, reason: null }] },
    }))
    const answer = this.expectAnswer(token)
    return (answer.members[0]?.errorCode ?? answer.errorCode) as ErrorCode
  }

  commit(
    offset: number,
    options: {
      groupId?: string
      memberId?: string
      generation?: number
      groupInstanceId?: string | null
      topic?: string
      partition?: number
      metadata?: string | null
      leaderEpoch?: number
      retentionTimeMs?: number
      apiVersion?: number
      /** Commits inside this producer's transaction. */
      producerId?: number
    } = {},
  ): ErrorCode {
    const { producerId } = options
    const topics = [
      {
        name: options.topic ?? "t",
        topicId: ZERO_UUID,
        partitions: [
          {
            partitionIndex: options.partition ?? 0,
            committedOffset: offset,
            committedLeaderEpoch: options.leaderEpoch ?? -1,
            committedMetadata: options.metadata === undefined ? "" : options.metadata,
          },
        ],
      },
    ]
    const membership = {
      groupId: options.groupId ?? "g",
      memberId: options.memberId ?? "",
      generationIdOrMemberEpoch: options.generation ?? -1,
      groupInstanceId: options.groupInstanceId ?? null,
      topics,
    }
    const context = { apiVersion: options.apiVersion ?? 8, clientId: "client", clientHost: "/127.0.0.1" }
    const token: Token<OffsetCommitResponse> =
      producerId === undefined
        ? this.ask<OffsetCommitResponse>((token) => ({
            kind: "offset-commit",
            token,
            context,
            request: { ...membership, retentionTimeMs: options.retentionTimeMs ?? -1 },
          }))
        : this.ask<TxnOffsetCommitResponse>(
            (token) => ({
              kind: "txn-offset-commit",
              token,
              context: { ...context, apiVersion: options.apiVersion ?? 3 },
              request: { ...membership, transactionalId: "tx", producerId, producerEpoch: 0 },
            }),
            { producerId, producerEpoch: 0 },
          )
    return this.expectAnswer(token).topics[0]?.partitions[0]?.errorCode as ErrorCode
  }

  fetch(
    options: {
      groupId?: string
      topics?: { name: string; partitions: number[] }[] | null
      requireStable?: boolean
    } = {},
  ): FetchedGroup {
    const topics = options.topics === undefined ? [{ name: "t", partitions: [0] }] : options.topics
    return this.expectAnswer(
      this.ask<FetchedGroup>((token) => ({
        kind: "offset-fetch",
        token,
        context: { apiVersion: 9, clientId: "client", clientHost: "/127.0.0.1" },
        requireStable: options.requireStable ?? false,
        group: {
          groupId: options.groupId ?? "g",
          memberId: null,
          memberEpoch: -1,
          topics:
            topics?.map(({ name, partitions }) => ({ name, topicId: ZERO_UUID, partitionIndexes: partitions })) ?? null,
        },
      })),
    )
  }

  /** The one offset of most tests: group g, topic t, partition 0. */
  fetchOne(requireStable = false): { offset: number; error: ErrorCode } {
    const partition = this.fetch({ requireStable }).topics[0]?.partitions[0]
    return { offset: partition?.committedOffset ?? NaN, error: partition?.errorCode as ErrorCode }
  }

  expectAnswer<Response>(token: Token<Response>): Response {
    const answer = this.answer(token)
    expect(answer, `request ${token} has an answer`).toBeDefined()
    return answer as Response
  }

  /** A stable group with these many dynamic members; the first leads. Answers with their ids. */
  stable(count = 1, options: JoinOptions = {}): string[] {
    const joined = Array.from({ length: count }, () => this.joinTwice(options))
    // The initial delay, and once more for those who came while it ran.
    this.advance(6000)
    return this.#settle(joined)
  }

  #settle(joined: { memberId: string; token: Token<JoinGroupResponse> }[]): string[] {
    const ids = joined.map(({ memberId }) => memberId)
    const { leader, generationId } = this.expectAnswer(joined[0]!.token)
    const assignments = Object.fromEntries(ids.map((id) => [id, `to ${id}`]))
    for (const id of ids) if (id !== leader) this.sync(id, generationId)
    this.sync(leader, generationId, assignments)
    expect(this.group().state).toBe("Stable")
    return ids
  }
}

function groupFields(group: ClassicGroup) {
  return {
    state: group.state,
    previousState: group.previousState,
    stateTimestamp: group.stateTimestamp,
    generation: group.generation,
    protocolType: group.protocolType,
    protocol: group.protocol,
    leader: group.leader,
    newMemberAdded: group.newMemberAdded,
    persisted: group.persisted,
    members: [...group.members].sort(),
    pendingMembers: [...group.pendingMembers].sort(),
    pendingSync: [...group.pendingSync].sort(),
  }
}

function checkGroup(group: ClassicGroup): void {
  const members = [...group.members.values()]
  const problems: string[] = []
  const must = (holds: boolean, what: string) => void (holds || problems.push(what))
  must(group.state !== "Empty" || members.length === 0, "an empty group has no members")
  must(group.leader === null ? members.length === 0 : group.members.has(group.leader), "the leader is a member")
  must(
    members.every(({ memberId }) => !group.pendingMembers.has(memberId)),
    "nobody is pending and a member",
  )
  must(
    members.every(({ joining }) => joining === undefined) || group.state === "PreparingRebalance",
    "only a rebalance keeps joins waiting",
  )
  must(
    members.every(({ syncing }) => syncing === undefined) || group.state === "CompletingRebalance",
    "only a generation without an assignment keeps syncs waiting",
  )
  const instances = members.flatMap(({ groupInstanceId }) => groupInstanceId ?? [])
  must(new Set(instances).size === instances.length, "an instance id has one member")
  for (const { groupInstanceId, memberId } of members) {
    must(groupInstanceId === null || group.staticMemberId(groupInstanceId) === memberId, "instance ids lead to members")
  }
  expect(problems, `group ${group.groupId} in ${group.state}`).toEqual([])
  // Settled, the group is what its record says: a failover changes nothing.
  if (group.state === "Stable") expect(group.metadata()).toEqual(group.persisted)
}
