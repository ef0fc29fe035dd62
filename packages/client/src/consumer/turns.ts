/**
 * What one poll answers of all that is buffered: whole batches, partitions taking turns in who is first, so that a busy one does
 * not keep the others waiting for good.
 */
import type { FetchedPartition } from "./fetched.ts"
import type { PartitionState, TakeLimits } from "./partition-state.ts"

/** Throws what is wrong with a batch when its turn comes first; what was taken before it is answered. */
export function takeInTurns(states: readonly PartitionState[], turn: number, limits: TakeLimits): FetchedPartition[] {
  const fetched: FetchedPartition[] = []
  let { records, bytes } = limits
  const count = states.length
  for (let index = 0; index < count && records > 0 && bytes > 0; index++) {
    const state = states[(turn + index) % count]!
    while (!state.paused && state.hasBuffered && records > 0 && bytes > 0) {
      let part: FetchedPartition | undefined
      try {
        part = state.take({ records, bytes })
      } catch (error) {
        // It is thrown again when its turn comes; what was taken before it must not be lost.
        if (fetched.length === 0) throw error
        return fetched
      }
      if (!part) break
      fetched.push(part)
      records -= part.recordCount
      bytes -= part.sizeInBytes
    }
  }
  return fetched
}
