/**
 * The group coordinator's shell: finds the partition of each group, hands requests to its shard, and puts answers that
 * span partitions together. No decision about groups is made here.
 */
import type { Clock, Random } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from "@millrace/protocol/messages/consumer-group-describe"
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from "@millrace/protocol/messages/consumer-group-heartbeat"
import type { DeleteGroupsRequest, DeleteGroupsResponse } from "@millrace/protocol/messages/delete-groups"
import type { DescribeGroupsRequest, DescribeGroupsResponse } from "@millrace/protocol/messages/describe-groups"
import type { HeartbeatRequest, HeartbeatResponse } from "@millrace/protocol/messages/heartbeat"
import type { JoinGroupRequest, JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { LeaveGroupRequest, LeaveGroupResponse } from "@millrace/protocol/messages/leave-group"
import type { ListGroupsRequest, ListGroupsResponse } from "@millrace/protocol/messages/list-groups"
import type { OffsetCommitRequest, OffsetCommitResponse } from "@millrace/protocol/messages/offset-commit"
import type { OffsetFetchRequest, OffsetFetchResponse } from "@millrace/protocol/messages/offset-fetch"
import type {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from "@millrace/protocol/messages/streams-group-describe"
import type { StreamsGroupHeartbeatRequest } from "@millrace/protocol/messages/streams-group-heartbeat"
import type { SyncGroupRequest, SyncGroupResponse } from "@millrace/protocol/messages/sync-group"
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from "@millrace/protocol/messages/txn-offset-commit"
import type { CoordinatorLog } from "../coordinator/log.ts"
import { randomUuid } from "../coordinator/random-uuid.ts"
import { CoordinatorRuntime } from "../coordinator/runtime.ts"
import type { EndTransactionMarker, Token } from "../coordinator/shard.ts"
import type { ConfigOf, GroupCoordinatorConfig } from "./config.ts"
import { Re2Patterns } from "../coordinator/patterns.ts"
import { beatRefusal } from "./consumer/refusal.ts"
import type { GroupTopics } from "./consumer/topics.ts"
import type { GroupCoordinator, GroupRequestContext } from "./coordinator.ts"
import type { OffsetDeleteRequest, OffsetDeleteResponse } from "@millrace/protocol/messages/offset-delete"
import { singleGroupAnswer, singleGroupRequest } from "./offset-fetch-versions.ts"
import type { GroupRecord } from "./records.ts"
import { refuseGroupRequest } from "./refusal.ts"
import type { FetchedGroup, GroupRequest, GroupTimeout } from "./requests.ts"
import { GroupShard } from "./shard.ts"
import type { StreamsBeatAnswer } from "./streams/requests.ts"

export interface GroupCoordinatorOptions {
  readonly log: CoordinatorLog
  readonly clock: Clock
  readonly random: Random
  readonly config: GroupCoordinatorConfig
  readonly configOf: ConfigOf
  readonly topics: GroupTopics
  /** A partition of `__consumer_offsets` cannot be replayed. */
  fault(partition: number, error: unknown): void
  /** A decision about groups threw. It was taken back, and its request answered. */
  defect(partition: number, error: unknown): void
}

/** OffsetFetch asks for several groups from this version on. */
const severalGroupsFrom = 8
/** JoinGroup has a null for "no protocol" from this version on. */
const nullProtocolFrom = 7

export class GroupCoordinatorService implements GroupCoordinator {
  readonly #runtime: CoordinatorRuntime<GroupRequest, GroupRecord, GroupTimeout, never>
  readonly #random: Random
  readonly #patterns = new Re2Patterns()

  constructor({ log, clock, random, config, configOf, topics, fault, defect }: GroupCoordinatorOptions) {
    this.#random = random
    this.#runtime = new CoordinatorRuntime({
      log,
      clock,
      commitTimeoutMs: config["offsets.commit.timeout.ms"],
      createShard: () => new GroupShard({ config, configOf, topics, patterns: this.#patterns }),
      refuse: refuseGroupRequest,
      send: () => {},
      fault,
      defect,
    })
  }

  partitionFor(groupId: string): number | undefined {
    return this.#runtime.partitionFor(groupId)
  }

  async joinGroup(context: GroupRequestContext, request: JoinGroupRequest): Promise<JoinGroupResponse> {
    const freshId = randomUuid(this.#random)
    const response = await this.#ask<JoinGroupResponse>(request.groupId, (token) => ({
      kind: "join",
      token,
      context,
      request,
      freshId,
    }))
    if (response.protocolName !== null || context.apiVersion >= nullProtocolFrom) return response
    return { ...response, protocolName: "" }
  }

  syncGroup(context: GroupRequestContext, request: SyncGroupRequest): Promise<SyncGroupResponse> {
    return this.#ask(request.groupId, (token) => ({ kind: "sync", token, context, request }))
  }

  heartbeat(context: GroupRequestContext, request: HeartbeatRequest): Promise<HeartbeatResponse> {
    return this.#ask(request.groupId, (token) => ({ kind: "heartbeat", token, context, request }))
  }

  leaveGroup(context: GroupRequestContext, request: LeaveGroupRequest): Promise<LeaveGroupResponse> {
    return this.#ask(request.groupId, (token) => ({ kind: "leave", token, context, request }))
  }

  async consumerGroupHeartbeat(
    context: GroupRequestContext,
    request: ConsumerGroupHeartbeatRequest,
    maySee: (topic: string) => boolean,
  ): Promise<ConsumerGroupHeartbeatResponse> {
    const { subscribedTopicRegex } = request
    if (subscribedTopicRegex) {
      await this.#patterns.load()
      const fault = this.#patterns.fault(subscribedTopicRegex)
      if (fault !== undefined)
        return beatRefusal(ErrorCode.INVALID_REGULAR_EXPRESSION, `${subscribedTopicRegex}: ${fault}`)
    }
    const freshId = randomUuid(this.#random)
    return await this.#ask(request.groupId, (token) => ({
      kind: "consumer-heartbeat",
      token,
      context,
      request,
      maySee,
      freshId,
    }))
  }

  async consumerGroupDescribe(
    context: GroupRequestContext,
    request: ConsumerGroupDescribeRequest,
  ): Promise<ConsumerGroupDescribeResponse> {
    const groups = await this.#byPartition(request.groupIds, (partition, groupIds) =>
      this.#runtime.request<ConsumerGroupDescribeResponse["groups"]>(partition, (token) => ({
        kind: "consumer-describe",
        token,
        context,
        groupIds,
      })),
    )
    return { throttleTimeMs: 0, groups }
  }

  streamsGroupHeartbeat(
    context: GroupRequestContext,
    request: StreamsGroupHeartbeatRequest,
  ): Promise<StreamsBeatAnswer> {
    return this.#ask(request.groupId, (token) => ({ kind: "streams-heartbeat", token, context, request }))
  }

  async streamsGroupDescribe(
    context: GroupRequestContext,
    request: StreamsGroupDescribeRequest,
  ): Promise<StreamsGroupDescribeResponse> {
    const groups = await this.#byPartition(request.groupIds, (partition, groupIds) =>
      this.#runtime.request<StreamsGroupDescribeResponse["groups"]>(partition, (token) => ({
        kind: "streams-describe",
        token,
        context,
        groupIds,
      })),
    )
    return { throttleTimeMs: 0, groups }
  }

  offsetCommit(context: GroupRequestContext, request: OffsetCommitRequest): Promise<OffsetCommitResponse> {
    return this.#ask(request.groupId, (token) => ({ kind: "offset-commit", token, context, request }))
  }

  txnOffsetCommit(context: GroupRequestContext, request: TxnOffsetCommitRequest): Promise<TxnOffsetCommitResponse> {
    const { producerId, producerEpoch } = request
    return this.#runtime.request(
      this.partitionFor(request.groupId),
      (token) => ({ kind: "txn-offset-commit", token, context, request }),
      { producerId, producerEpoch },
    )
  }

  async offsetFetch(context: GroupRequestContext, request: OffsetFetchRequest): Promise<OffsetFetchResponse> {
    const several = context.apiVersion >= severalGroupsFrom
    const { requireStable } = request
    const groups = await Promise.all(
      (several ? request.groups : [singleGroupRequest(request)]).map((group) =>
        this.#ask<FetchedGroup>(group.groupId, (token) => ({
          kind: "offset-fetch",
          token,
          context,
          group,
          requireStable,
        })),
      ),
    )
    if (several) return { throttleTimeMs: 0, topics: [], errorCode: ErrorCode.NONE, groups }
    const [group] = groups
    return singleGroupAnswer(context.apiVersion, request, group as FetchedGroup)
  }

  offsetDelete(context: GroupRequestContext, request: OffsetDeleteRequest): Promise<OffsetDeleteResponse> {
    return this.#ask(request.groupId, (token) => ({ kind: "offset-delete", token, context, request }))
  }

  async describeGroups(context: GroupRequestContext, request: DescribeGroupsRequest): Promise<DescribeGroupsResponse> {
    const groups = await this.#byPartition(request.groups, (partition, groupIds) =>
      this.#runtime.request<DescribeGroupsResponse["groups"]>(partition, (token) => ({
        kind: "describe",
        token,
        context,
        groupIds,
      })),
    )
    return { throttleTimeMs: 0, groups }
  }

  async listGroups(context: GroupRequestContext, request: ListGroupsRequest): Promise<ListGroupsResponse> {
    const parts = await Promise.all(
      this.#runtime.partitions().map((partition) =>
        this.#runtime.request<{ error: ErrorCode; groups: ListGroupsResponse["groups"] }>(partition, (token) => ({
          kind: "list",
          token,
          context,
          request,
        })),
      ),
    )
    // A partition that moved away in between has a new coordinator, which the client asks too.
    const failed = parts.find(({ error }) => error !== ErrorCode.NONE && error !== ErrorCode.NOT_COORDINATOR)
    const groups = failed === undefined ? parts.flatMap((part) => part.groups) : []
    return { throttleTimeMs: 0, errorCode: failed?.error ?? ErrorCode.NONE, groups }
  }

  async deleteGroups(context: GroupRequestContext, request: DeleteGroupsRequest): Promise<DeleteGroupsResponse> {
    const results = await this.#byPartition(request.groupsNames, (partition, groupIds) =>
      this.#runtime.request<DeleteGroupsResponse["results"]>(partition, (token) => ({
        kind: "delete",
        token,
        context,
        groupIds,
      })),
    )
    return { throttleTimeMs: 0, results }
  }

  async onTopicsDeleted(topics: readonly string[]): Promise<void> {
    await Promise.all(
      this.#runtime
        .partitions()
        .map((partition) =>
          this.#runtime.request<ErrorCode>(partition, (token) => ({ kind: "topics-deleted", token, topics })),
        ),
    )
  }

  completeTransaction(partition: number, marker: EndTransactionMarker): Promise<ErrorCode> {
    return this.#runtime.endTransaction(partition, marker)
  }

  onElection(partition: number, leaderEpoch: number): void {
    this.#runtime.onElection(partition, leaderEpoch)
  }

  onResignation(partition: number): void {
    this.#runtime.onResignation(partition)
  }

  onHighWatermark(partition: number, highWatermark: number): void {
    this.#runtime.onHighWatermark(partition, highWatermark)
  }

  close(): void {
    this.#runtime.close()
  }

  #ask<Response>(groupId: string, make: (token: Token<Response>) => GroupRequest): Promise<Response> {
    return this.#runtime.request<Response>(this.partitionFor(groupId), make)
  }

  /** One request per partition, answers in the partitions' order of first mention. */
  async #byPartition<Row>(
    groupIds: readonly string[],
    ask: (partition: number | undefined, groupIds: readonly string[]) => Promise<Row[]>,
  ): Promise<Row[]> {
    const byPartition = Map.groupBy(groupIds, (groupId) => this.partitionFor(groupId))
    const rows = await Promise.all([...byPartition].map(([partition, ids]) => ask(partition, ids)))
    return rows.flat()
  }
}
