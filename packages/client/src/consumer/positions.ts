/**
 * Finds where to begin in partitions that have no position: the committed offset, else what the reset policy says.
 */
import { ErrorCode } from "@millrace/protocol"
import type { Cluster } from "../cluster.ts"
import { kafkaError, NoOffset } from "../errors.ts"
import { fetchCommitted } from "./committed.ts"
import { listOffsets, OffsetSpec } from "./list-offsets.ts"
import type { ResolvedConsumerOptions } from "./options.ts"
import type { PartitionState } from "./partition-state.ts"

/** Sets positions. A partition that was seeked, or taken away, meanwhile is left alone. */
export async function findPositions(
  cluster: Cluster,
  options: ResolvedConsumerOptions,
  states: readonly PartitionState[],
  signal: AbortSignal,
): Promise<void> {
  const stamps = new Map(states.map((state) => [state, state.stamp]))
  const set = (state: PartitionState, offset: number, leaderEpoch: number) => {
    if (stamps.get(state) === state.stamp) state.seek(offset, leaderEpoch)
  }
  const reset = states.filter((state) => state.isOutOfRange)
  let fresh = states.filter((state) => !state.isOutOfRange)
  if (options.groupId !== undefined && fresh.length > 0) {
    const requireStable = options.isolation === "read_committed"
    const committed = await fetchCommitted(cluster, options.groupId, fresh, { requireStable, signal })
    const byPartition = new Map(committed.map((entry) => [`${entry.topic}-${entry.partition}`, entry]))
    fresh = fresh.filter((state) => {
      const entry = byPartition.get(`${state.topic}-${state.partition}`)
      if (!entry || entry.offset < 0) return true
      set(state, entry.offset, entry.leaderEpoch)
      return false
    })
  }
  const lacking = [...fresh, ...reset]
  if (lacking.length === 0) return
  if (options.autoOffsetReset === "none") {
    const state = lacking[0]!
    const reason = state.isOutOfRange ? `offset ${state.fetchOffset} is out of range` : "no offset is committed"
    throw new NoOffset(state.topic, state.partition, reason)
  }
  const timestamp = OffsetSpec[options.autoOffsetReset]
  const readCommitted = options.isolation === "read_committed"
  const queries = lacking.map(({ topic, partition }) => ({ topic, partition, timestamp }))
  const offsets = await listOffsets(cluster, queries, { readCommitted, signal })
  for (const [index, state] of lacking.entries()) {
    const { offset, leaderEpoch } = offsets[index]!
    if (offset < 0) throw kafkaError(ErrorCode.OFFSET_NOT_AVAILABLE, `the log of ${state.topic}-${state.partition}`)
    set(state, offset, leaderEpoch)
  }
}
