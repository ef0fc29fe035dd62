/**
 * What consumer groups know of topics: which there are, and how many partitions they have. The metadata image answers;
 * tests answer with a table.
 */
export interface GroupTopic {
  readonly name: string
  readonly topicId: string
  readonly partitionCount: number
}

export interface GroupTopics {
  /** Changes whenever any answer below may have, or who may be told of a topic. */
  readonly version: number
  byName(name: string): GroupTopic | undefined
  byId(topicId: string): GroupTopic | undefined
  names(): Iterable<string>
}

/**
 * A number that differs when the topics a group reads differ, in their ids or their partitions (KIP-1101). Kept in the
 * group's metadata record: 53 bits, since that is what a safe integer holds.
 */
export function metadataHash(topics: Iterable<GroupTopic>): number {
  const lines = [...topics].map(({ name, topicId, partitionCount }) => `${name}/${topicId}/${partitionCount}`).sort()
  let low = 0x811c9dc5
  let high = 0x1b873593
  for (const line of lines) {
    for (let at = 0; at <= line.length; at++) {
      // The end of a line counts as a character of its own.
      const code = at < line.length ? line.charCodeAt(at) : 0x10000
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul(high ^ code, 0x5bd1e995)
      high ^= high >>> 15
    }
  }
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0)
}
