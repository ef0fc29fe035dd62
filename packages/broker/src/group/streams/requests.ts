/** What a group shard is asked about streams groups. */
import type { StreamsGroupDescribeResponse } from "@millrace/protocol/messages/streams-group-describe"
import type {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from "@millrace/protocol/messages/streams-group-heartbeat"
import type { Token } from "../../coordinator/shard.ts"
import type { GroupRequestContext } from "../coordinator.ts"
import type { InternalTopic } from "./configured-topology.ts"

/** The answer, and the internal topics that somebody has to create before tasks can run. */
export interface StreamsBeatAnswer {
  readonly response: StreamsGroupHeartbeatResponse
  readonly missing: readonly InternalTopic[]
}

export interface StreamsBeat {
  readonly kind: "streams-heartbeat"
  readonly token: Token<StreamsBeatAnswer>
  readonly context: GroupRequestContext
  readonly request: StreamsGroupHeartbeatRequest
}

export interface StreamsDescribe {
  readonly kind: "streams-describe"
  readonly token: Token<StreamsGroupDescribeResponse["groups"]>
  readonly context: GroupRequestContext
  readonly groupIds: readonly string[]
}

export type StreamsTimeout =
  /** A member has not been heard of for the session timeout. */
  | { readonly kind: "streams-session"; readonly groupId: string; readonly memberId: string }
  /** A member had its rebalance timeout to confirm what it gives up. */
  | {
      readonly kind: "streams-rebalance"
      readonly groupId: string
      readonly memberId: string
      readonly memberEpoch: number
    }
  /** The first members of a group have come, or are late. */
  | { readonly kind: "streams-initial-rebalance"; readonly groupId: string }

/** One key, one timer. The length keeps two ids from running together. */
export const streamsTimerKey = {
  session: (groupId: string, memberId: string) => `streams-session/${groupId.length}/${groupId}/${memberId}`,
  rebalance: (groupId: string, memberId: string) => `streams-rebalance/${groupId.length}/${groupId}/${memberId}`,
  initialRebalance: (groupId: string) => `streams-initial-rebalance/${groupId}`,
} as const
