/**
 * Transactions that are open for too long, and transactional ids that nobody uses any more.
 *
 * A transaction past its timeout is aborted under a raised epoch: its client, should it still live, is fenced (row 44).
 */
import type { TransactionOutcome, TransactionTimeout } from "./requests.ts"
import type { TransactionShardState } from "./shard-state.ts"
import { type StoredState } from "./state.ts"

const cleanupKey = "cleanup"
/** How long a timed-out transaction waits for a producer id to go on with. */
const noProducerIdBackoffMs = 1000

const mayExpire: Record<StoredState, boolean> = {
  Empty: true,
  Ongoing: false,
  PrepareCommit: false,
  PrepareAbort: false,
  CompleteCommit: true,
  CompleteAbort: true,
}

export function expireTransaction(
  shard: TransactionShardState,
  due: TransactionTimeout,
  now: number,
  out: TransactionOutcome,
): void {
  if (due.kind === "cleanup") return expireIds(shard, now, out)
  const metadata = shard.transactions.get(due.transactionalId)
  if (metadata === undefined || metadata.state !== "Ongoing") return
  // The timer is disarmed when a transaction ends; should one slip through, it must not hit the next.
  const same =
    metadata.producerId === due.producerId &&
    metadata.producerEpoch === due.producerEpoch &&
    metadata.startTimestamp === due.startTimestamp
  if (!same || shard.fence(metadata, now, out)) return
  out.arm(`transaction/${due.transactionalId}`, noProducerIdBackoffMs, due)
}

export function armCleanup(shard: TransactionShardState, out: TransactionOutcome): void {
  const intervalMs = shard.config["transaction.remove.expired.transaction.cleanup.interval.ms"]
  out.arm(cleanupKey, intervalMs, { kind: "cleanup" })
}

function expireIds(shard: TransactionShardState, now: number, out: TransactionOutcome): void {
  out.atomic = false
  const before = now - shard.config["transactional.id.expiration.ms"]
  for (const { transactionalId, state, lastUpdateTimestamp } of shard.transactions.values()) {
    if (mayExpire[state] && lastUpdateTimestamp <= before) out.records.push({ transactionalId, value: null })
  }
  armCleanup(shard, out)
}
