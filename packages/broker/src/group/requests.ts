/** What a group shard is asked, and the timers it sets itself. */
import type { HeartbeatRequest, HeartbeatResponse } from "@millrace/protocol/messages/heartbeat"
import type { JoinGroupRequest, JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { LeaveGroupRequest, LeaveGroupResponse } from "@millrace/protocol/messages/leave-group"
import type { OffsetCommitRequest, OffsetCommitResponse } from "@millrace/protocol/messages/offset-commit"
import type { OffsetDeleteRequest, OffsetDeleteResponse } from "@millrace/protocol/messages/offset-delete"
import type { OffsetFetchRequest, OffsetFetchResponse } from "@millrace/protocol/messages/offset-fetch"
import type { DeleteGroupsResponse } from "@millrace/protocol/messages/delete-groups"
import type { DescribeGroupsResponse } from "@millrace/protocol/messages/describe-groups"
import type { ListGroupsRequest, ListGroupsResponse } from "@millrace/protocol/messages/list-groups"
import type { SyncGroupRequest, SyncGroupResponse } from "@millrace/protocol/messages/sync-group"
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from "@millrace/protocol/messages/txn-offset-commit"
import type { ErrorCode } from "@millrace/protocol"
import type { Outcome, Token } from "../coordinator/shard.ts"
import type { ConsumerBeat, ConsumerDescribe, ConsumerTimeout } from "./consumer/requests.ts"
import type { GroupRequestContext } from "./coordinator.ts"
import type { GroupRecord } from "./records.ts"
import type { StreamsBeat, StreamsDescribe, StreamsTimeout } from "./streams/requests.ts"

interface Asked<Response> {
  readonly token: Token<Response>
  readonly context: GroupRequestContext
}

/** The offsets of one group, in the shape of OffsetFetch v8 and later. */
export type FetchedGroupRequest = OffsetFetchRequest["groups"][number]
export type FetchedGroup = OffsetFetchResponse["groups"][number]

export type JoinRequest = Asked<JoinGroupResponse> & {
  readonly kind: "join"
  readonly request: JoinGroupRequest
  /** Random, for the id of a new member. */
  readonly freshId: string
}
export type SyncRequest = Asked<SyncGroupResponse> & { readonly kind: "sync"; readonly request: SyncGroupRequest }
export type BeatRequest = Asked<HeartbeatResponse> & { readonly kind: "heartbeat"; readonly request: HeartbeatRequest }
export type LeaveRequest = Asked<LeaveGroupResponse> & { readonly kind: "leave"; readonly request: LeaveGroupRequest }
export type CommitRequest = Asked<OffsetCommitResponse> & {
  readonly kind: "offset-commit"
  readonly request: OffsetCommitRequest
}
export type TxnCommitRequest = Asked<TxnOffsetCommitResponse> & {
  readonly kind: "txn-offset-commit"
  readonly request: TxnOffsetCommitRequest
}
export type FetchRequest = Asked<FetchedGroup> & {
  readonly kind: "offset-fetch"
  readonly group: FetchedGroupRequest
  readonly requireStable: boolean
}
export type OffsetRemovalRequest = Asked<OffsetDeleteResponse> & {
  readonly kind: "offset-delete"
  readonly request: OffsetDeleteRequest
}
export type DescribeRequest = Asked<DescribeGroupsResponse["groups"]> & {
  readonly kind: "describe"
  readonly groupIds: readonly string[]
}
/** Answers with the groups of one partition, or an error. */
export type ListRequest = Asked<{ readonly error: ErrorCode; readonly groups: ListGroupsResponse["groups"] }> & {
  readonly kind: "list"
  readonly request: ListGroupsRequest
}
export type DeletionRequest = Asked<DeleteGroupsResponse["results"]> & {
  readonly kind: "delete"
  readonly groupIds: readonly string[]
}
export type TopicsDeletedRequest = {
  readonly kind: "topics-deleted"
  readonly token: Token<ErrorCode>
  readonly topics: readonly string[]
}

export type GroupRequest =
  | JoinRequest
  | SyncRequest
  | BeatRequest
  | LeaveRequest
  | CommitRequest
  | TxnCommitRequest
  | FetchRequest
  | OffsetRemovalRequest
  | DescribeRequest
  | ListRequest
  | DeletionRequest
  | TopicsDeletedRequest
  | ConsumerBeat
  | ConsumerDescribe
  | StreamsBeat
  | StreamsDescribe

export type GroupTimeout =
  /** A member has not been heard of for its session timeout, or a handed-out id was not used. */
  | { readonly kind: "session"; readonly groupId: string; readonly memberId: string }
  /** The first rebalance of an empty group has waited `delayMs`, and may wait `remainingMs` more for newcomers. */
  | { readonly kind: "initial-join"; readonly groupId: string; readonly delayMs: number; readonly remainingMs: number }
  /** Members had the rebalance timeout to rejoin. */
  | { readonly kind: "join"; readonly groupId: string }
  /** Members had the rebalance timeout to sync. */
  | { readonly kind: "sync"; readonly groupId: string; readonly generation: number }
  /** Time to look for expired offsets and empty groups. */
  | { readonly kind: "cleanup" }
  | ConsumerTimeout
  | StreamsTimeout

export type GroupOutcome = Outcome<GroupRecord, GroupTimeout>

/** One key, one timer. The length keeps two ids from running together. */
export const timerKey = {
  session: (groupId: string, memberId: string) => `session/${groupId.length}/${groupId}/${memberId}`,
  join: (groupId: string) => `join/${groupId}`,
  sync: (groupId: string) => `sync/${groupId}`,
  cleanup: "cleanup",
} as const
