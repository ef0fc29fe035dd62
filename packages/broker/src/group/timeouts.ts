/** What a group does when a deadline passes. */
import type { GroupShardState } from "./group-state.ts"
import { consumerTimedOut } from "./consumer/leave.ts"
import { cleanup } from "./expiry.ts"
import { Rebalance } from "./rebalance.ts"
import type { GroupOutcome, GroupTimeout } from "./requests.ts"
import { streamsTimedOut } from "./streams/leave.ts"

export function timeout(shard: GroupShardState, timeout: GroupTimeout, now: number, out: GroupOutcome): void {
  if (timeout.kind === "cleanup") return cleanup(shard, now, out)
  if (
    timeout.kind === "consumer-session" ||
    timeout.kind === "consumer-rejoin" ||
    timeout.kind === "consumer-sync" ||
    timeout.kind === "consumer-rebalance"
  )
    return consumerTimedOut(shard, timeout, now, out)
  if (
    timeout.kind === "streams-session" ||
    timeout.kind === "streams-rebalance" ||
    timeout.kind === "streams-initial-rebalance"
  )
    return streamsTimedOut(shard, timeout, now, out)
  const group = shard.groups.get(timeout.groupId)
  if (group === undefined) return
  const rebalance = new Rebalance(shard.config, group, now, out)
  switch (timeout.kind) {
    case "initial-join":
      return rebalance.initialDelayPassed(timeout)
    case "join":
      return rebalance.completeJoin()
    case "sync":
      return rebalance.syncTimedOut(timeout.generation)
    case "session":
      return sessionEnded(shard, rebalance, timeout)
  }
}

function sessionEnded(
  shard: GroupShardState,
  rebalance: Rebalance,
  { groupId, memberId }: GroupTimeout & { kind: "session" },
): void {
  const group = shard.groups.get(groupId)
  if (group?.pendingMembers.delete(memberId)) return rebalance.memberGone()
  const member = group?.members.get(memberId)
  if (member === undefined) return
  // Who waits for us cannot heartbeat (row 77); a newcomer without an answer in five minutes has given up, though.
  const waits = member.joining !== undefined || member.syncing !== undefined
  if (waits && !member.isNew) return
  rebalance.forget(member)
  rebalance.memberGone()
}
