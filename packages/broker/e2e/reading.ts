/** Reading in scenes. */
import { Fetch } from "@millrace/protocol/messages/fetch"
import type { Side } from "./side.ts"

export interface FetchOptions {
  readonly partition?: number
  readonly offset?: number
  readonly version?: number
  readonly isolationLevel?: number
  readonly topicId?: string
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
  readonly minBytes?: number
  readonly maxWaitMs?: number
}

/** Fetches one partition without a session, and notes the answer. */
export function readAll(side: Side, topic: string, options: FetchOptions = {}) {
  const { partition = 0, offset = 0, version = 12, isolationLevel = 0, minBytes = 0, maxWaitMs = 0 } = options
  const { maxBytes = 50_000_000, partitionMaxBytes = 50_000_000 } = options
  const epochs = {
    ...(version >= 9 ? { currentLeaderEpoch: options.currentLeaderEpoch ?? -1 } : {}),
    ...(version >= 12 ? { lastFetchedEpoch: options.lastFetchedEpoch ?? -1 } : {}),
  }
  const named = version >= 13 ? { topicId: options.topicId } : { topic }
  const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes, ...epochs }]
  return side.tell(Fetch, version, {
    ...{ maxWaitMs, minBytes, maxBytes, isolationLevel },
    topics: [{ ...named, partitions }],
  } as never)
}
