/**
 * What a task waits for: upstream tasks that have told no time yet, though something has come from some.
 */
import type { SourceReader } from "../operators/source-reader.ts"
import type { RecordQueue } from "./record-queue.ts"

/** Of a repartition topic. */
export interface AwaitedTime {
  readonly topic: string
  readonly upstreamPartitions: readonly number[]
}

export function awaitedTimes(sources: ReadonlyMap<RecordQueue, SourceReader>): readonly AwaitedTime[] {
  return [...sources].flatMap(([queue, reader]) => {
    const upstreamPartitions = reader.untold?.(queue) ?? []
    return upstreamPartitions.length === 0 ? [] : [{ topic: queue.topic, upstreamPartitions }]
  })
}
