/** What a group shard is asked about consumer groups. */
import type { ConsumerGroupDescribeResponse } from "@millrace/protocol/messages/consumer-group-describe"
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from "@millrace/protocol/messages/consumer-group-heartbeat"
import type { Token } from "../../coordinator/shard.ts"
import type { GroupRequestContext } from "../coordinator.ts"
import type { GroupOutcome } from "../requests.ts"
import type { ConsumerGroup } from "./group.ts"

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
  /** One of the classic protocol had its rebalance timeout to rejoin, or to sync. */
  | { readonly kind: "consumer-rejoin" | "consumer-sync"; readonly groupId: string; readonly memberId: string }
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
  rejoin: (groupId: string, memberId: string) => `consumer-rejoin/${groupId.length}/${groupId}/${memberId}`,
  sync: (groupId: string, memberId: string) => `consumer-sync/${groupId.length}/${groupId}/${memberId}`,
} as const

/** One of the classic protocol rejoined, or goes on with the other protocol. */
export function endRejoin({ groupId, rejoining }: ConsumerGroup, memberId: string, out: GroupOutcome): void {
  rejoining.delete(memberId)
  out.disarm(consumerTimerKey.rejoin(groupId, memberId))
  out.disarm(consumerTimerKey.sync(groupId, memberId))
}

/** A member is gone: nothing is waited for any more. */
export function disarmMember(group: ConsumerGroup, memberId: string, out: GroupOutcome): void {
  for (const key of Object.values(consumerTimerKey)) out.disarm(key(group.groupId, memberId))
  group.rejoining.delete(memberId)
}
