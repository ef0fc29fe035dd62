/**
 * The group coordinator as API handlers see it. `service.ts` implements it.
 *
 * Requests and responses are the decoded protocol messages. The handler has authorised the request and, in versions that
 * name topics by id, has filled in `name` (and answered unknown ids itself): offsets are kept by topic name.
 * Every call resolves, never rejects: failures are error codes in the response. JoinGroup and SyncGroup may take as long
 * as a rebalance. A response leaves only after all it could have seen is below the high watermark.
 *
 * The partition's owner drives the life cycle: `onElection` once this broker leads a partition of `__consumer_offsets`
 * (also right after the topic was created), `onResignation` when it stops, `onHighWatermark` on every advance.
 */
import type { DeleteGroupsRequest, DeleteGroupsResponse } from "@millrace/protocol/messages/delete-groups"
import type { DescribeGroupsRequest, DescribeGroupsResponse } from "@millrace/protocol/messages/describe-groups"
import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from "@millrace/protocol/messages/consumer-group-describe"
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from "@millrace/protocol/messages/consumer-group-heartbeat"
import type { HeartbeatRequest, HeartbeatResponse } from "@millrace/protocol/messages/heartbeat"
import type { JoinGroupRequest, JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { LeaveGroupRequest, LeaveGroupResponse } from "@millrace/protocol/messages/leave-group"
import type { ListGroupsRequest, ListGroupsResponse } from "@millrace/protocol/messages/list-groups"
import type { OffsetCommitRequest, OffsetCommitResponse } from "@millrace/protocol/messages/offset-commit"
import type { OffsetDeleteRequest, OffsetDeleteResponse } from "@millrace/protocol/messages/offset-delete"
import type { OffsetFetchRequest, OffsetFetchResponse } from "@millrace/protocol/messages/offset-fetch"
import type {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from "@millrace/protocol/messages/streams-group-describe"
import type { StreamsGroupHeartbeatRequest } from "@millrace/protocol/messages/streams-group-heartbeat"
import type { SyncGroupRequest, SyncGroupResponse } from "@millrace/protocol/messages/sync-group"
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from "@millrace/protocol/messages/txn-offset-commit"
import type { ErrorCode } from "@millrace/protocol"
import type { EndTransactionMarker } from "../coordinator/shard.ts"
import type { StreamsBeatAnswer } from "./streams/requests.ts"

/** Who asks, as far as groups record it. */
export interface GroupRequestContext {
  readonly apiVersion: number
  readonly clientId: string
  /** As Kafka prints it: "/127.0.0.1". */
  readonly clientHost: string
}

export interface GroupCoordinator {
  /** The partition of `__consumer_offsets` that keeps a group (FindCoordinator); undefined while the topic is absent. */
  partitionFor(groupId: string): number | undefined

  joinGroup(context: GroupRequestContext, request: JoinGroupRequest): Promise<JoinGroupResponse>
  syncGroup(context: GroupRequestContext, request: SyncGroupRequest): Promise<SyncGroupResponse>
  heartbeat(context: GroupRequestContext, request: HeartbeatRequest): Promise<HeartbeatResponse>
  leaveGroup(context: GroupRequestContext, request: LeaveGroupRequest): Promise<LeaveGroupResponse>

  /** `maySee`: whether the client may be told of a topic that it did not name. */
  consumerGroupHeartbeat(
    context: GroupRequestContext,
    request: ConsumerGroupHeartbeatRequest,
    maySee: (topic: string) => boolean,
  ): Promise<ConsumerGroupHeartbeatResponse>
  consumerGroupDescribe(
    context: GroupRequestContext,
    request: ConsumerGroupDescribeRequest,
  ): Promise<ConsumerGroupDescribeResponse>

  streamsGroupHeartbeat(context: GroupRequestContext, request: StreamsGroupHeartbeatRequest): Promise<StreamsBeatAnswer>
  streamsGroupDescribe(
    context: GroupRequestContext,
    request: StreamsGroupDescribeRequest,
  ): Promise<StreamsGroupDescribeResponse>

  offsetCommit(context: GroupRequestContext, request: OffsetCommitRequest): Promise<OffsetCommitResponse>
  txnOffsetCommit(context: GroupRequestContext, request: TxnOffsetCommitRequest): Promise<TxnOffsetCommitResponse>
  /** Answers in the shape of the request's version: one group at the top level before v8, `groups` from v8. */
  offsetFetch(context: GroupRequestContext, request: OffsetFetchRequest): Promise<OffsetFetchResponse>
  offsetDelete(context: GroupRequestContext, request: OffsetDeleteRequest): Promise<OffsetDeleteResponse>

  describeGroups(context: GroupRequestContext, request: DescribeGroupsRequest): Promise<DescribeGroupsResponse>
  listGroups(context: GroupRequestContext, request: ListGroupsRequest): Promise<ListGroupsResponse>
  deleteGroups(context: GroupRequestContext, request: DeleteGroupsRequest): Promise<DeleteGroupsResponse>

  /** Forgets all offsets of deleted topics. */
  onTopicsDeleted(topics: readonly string[]): Promise<void>

  /**
   * Ends a producer's transaction on one partition of `__consumer_offsets`: appends the marker and applies it, so that
   * pending offsets become visible, or vanish, at the marker's place in the log. The marker writer calls this instead of
   * appending itself, because the coordinator is the only writer of its partitions. Resolves when committed.
   */
  completeTransaction(partition: number, marker: EndTransactionMarker): Promise<ErrorCode>

  onElection(partition: number, leaderEpoch: number): void
  onResignation(partition: number): void
  onHighWatermark(partition: number, highWatermark: number): void
  /** Stops timers and answers what still waits with COORDINATOR_NOT_AVAILABLE. */
  close(): void
}
