/**
 * What a consumer needs of its membership in a group, whichever protocol the group speaks: group.ts is the classic one,
 * streams/streams-group.ts that of streams groups.
 */
import type { GroupMetadata } from "../producer/transactions.ts"
import type { TopicPartition } from "./assignor.ts"
import type { PollWatch } from "./poll-watch.ts"

export interface Member {
  /** Who commits, as of now. */
  metadata(): GroupMetadata
  subscribe(topics: readonly string[]): void
  enforceRebalance(reason: string): void
  /** Asks all members to stop, where the protocol can. */
  requestShutdown?(): void
  /** Another process may have this member's id: it lets everything go as lost, and joins again as another member. */
  startOver?(): void
  /** `advance` has nothing to do. */
  readonly isSettled: boolean
  /** Told of every poll. */
  readonly polls: PollWatch
  /** Takes a rebalance as far as it goes until `deadline`; true when the member is stable. */
  advance(deadline: number): Promise<boolean>
  /** The answer to an offset commit sent in `generation`. */
  committed(code: number, generation: number): void
  /** Revokes what is not lost; leaves the group where `leave` says so. */
  close(leave: boolean): Promise<void>
}

export interface MemberHooks {
  /** Something happened that `poll` should see. */
  changed(): void
  /** Awaited: partitions go, in order; nothing is fetched for them afterwards. */
  revoked(partitions: readonly TopicPartition[]): Promise<void>
  lost(partitions: readonly TopicPartition[]): Promise<void>
  assigned(added: readonly TopicPartition[], all: readonly TopicPartition[]): Promise<void>
}
