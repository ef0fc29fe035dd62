/** What a group shard is asked about consumer groups. */
import type { ConsumerGroupDescribeResponse } from "@millrace/protocol/messages/consumer-group-describe"
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from "@millrace/protocol/messages/consumer-group-heartbeat"
import type { Token } from "../../coordinator/shard.ts"
import type { GroupRequestContext } from "../coordinator.ts"

export interface ConsumerBeat {
  readonly kind: "consumer-heartbeat"
  readonly token: Token<ConsumerGroupHeartbeatResponse>
  readonly context: GroupRequestContext
  readonly request: ConsumerGroupHeartbeatRequest
  /** Whether who asks may be told of a topic. */
  readonly maySee: (topic: string) => boolean
  /** Random, for the id of a member that leaves the choice to us (v0). */
  readonly freshId: string
}

export interface ConsumerDescribe {
  readonly kind: "consumer-describe"
  readonly token: Token<ConsumerGroupDescribeResponse["groups"]>
  readonly context: GroupRequestContext
  readonly groupIds: readonly string[]
}

export type ConsumerTimeout =
  /** A member has not been heard of for the session timeout. */
  | { readonly kind: "consumer-session"; readonly groupId: string; readonly memberId: string }
  /** A member had its rebalance timeout to confirm what it gives up. */
  | {
      readonly kind: "consumer-rebalance"
      readonly groupId: string
      readonly memberId: string
      readonly memberEpoch: number
    }

/** One key, one timer. The length keeps two ids from running together. */
export const consumerTimerKey = {
  session: (groupId: string, memberId: string) => `consumer-session/${groupId.length}/${groupId}/${memberId}`,
  rebalance: (groupId: string, memberId: string) => `consumer-rebalance/${groupId.length}/${groupId}/${memberId}`,
} as const
