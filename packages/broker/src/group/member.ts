/**
 * One member of a classic group, and the vote for a common protocol (row 84).
 *
 * What the protocols mean (consumer, Connect, schema registry) is opaque: the coordinator only finds one that all know.
 * Members are values: a change makes a new one.
 */
import type { JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { SyncGroupResponse } from "@millrace/protocol/messages/sync-group"
import type { Token } from "../coordinator/shard.ts"

export interface MemberProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface Member {
  readonly memberId: string
  /** Set for a static member (KIP-345). */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly MemberProtocol[]
  readonly assignment: Uint8Array
  /** It has not had its first JoinGroup answer, so it cannot heartbeat yet. */
  readonly isNew: boolean
  /** JoinGroup request that waits for the rebalance. */
  readonly joining: Token<JoinGroupResponse> | undefined
  /** SyncGroup request that waits for the leader. */
  readonly syncing: Token<SyncGroupResponse> | undefined
}

export const noAssignment = new Uint8Array(0)

export function metadataOf(member: Member, protocol: string): Uint8Array {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? noAssignment
}

/** Whether a JoinGroup says nothing new: same protocols, same order, same bytes. */
export function hasProtocols(member: Pick<Member, "protocols">, protocols: readonly MemberProtocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every((known, index) => {
      const other = protocols[index]
      return other !== undefined && known.name === other.name && Buffer.compare(known.metadata, other.metadata) === 0
    })
  )
}

/** Protocols that every member knows, in the first member's order. */
export function commonProtocols(members: readonly Pick<Member, "protocols">[]): string[] {
  const [first, ...others] = members
  if (first === undefined) return []
  const known = others.map(({ protocols }) => new Set(protocols.map(({ name }) => name)))
  return first.protocols.map(({ name }) => name).filter((name) => known.every((names) => names.has(name)))
}

/** Each member votes for the first of its protocols that all know; most votes win, then the oldest member's order. */
export function selectProtocol(members: readonly Pick<Member, "protocols">[]): string | undefined {
  const candidates = commonProtocols(members)
  const votes = new Map(candidates.map((name) => [name, 0]))
  for (const member of members) {
    const choice = member.protocols.find(({ name }) => votes.has(name))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let winner: string | undefined
  for (const [name, count] of votes) {
    if (winner === undefined || count > (votes.get(winner) ?? 0)) winner = name
  }
  return winner
}
