/**
 * Sets of partitions, by topic id, as members of consumer groups own them. They are values: operations answer new ones.
 *
 * A topic without partitions is not in the set, and indexes are in order, so that equal sets look equal.
 */
export type Partitions = ReadonlyMap<string, readonly number[]>

/** As requests, answers and records carry them. */
export interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const noPartitions: Partitions = new Map()

export function partitionsOf(topics: readonly TopicPartitions[]): Partitions {
  const found = new Map<string, Set<number>>()
  for (const { topicId, partitions } of topics) {
    const all = found.get(topicId)
    if (all !== undefined) for (const partition of partitions) all.add(partition)
    else if (partitions.length > 0) found.set(topicId, new Set(partitions))
  }
  return new Map([...found].map(([topicId, all]) => [topicId, ascending(all)]))
}

export function topicPartitions(set: Partitions): { topicId: string; partitions: number[] }[] {
  return [...set].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
}

export function has(set: Partitions, topicId: string, partition: number): boolean {
  const partitions = set.get(topicId) ?? []
  let [low, high] = [0, partitions.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (partitions[middle]! < partition) low = middle + 1
    else high = middle
  }
  return partitions[low] === partition
}

export function filtered(set: Partitions, keep: (topicId: string, partition: number) => boolean): Partitions {
  const kept = new Map<string, readonly number[]>()
  for (const [topicId, partitions] of set) {
    const rest = partitions.filter((partition) => keep(topicId, partition))
    if (rest.length > 0) kept.set(topicId, rest)
  }
  return kept
}

export const intersection = (left: Partitions, right: Partitions): Partitions =>
  filtered(left, (topicId, partition) => has(right, topicId, partition))

export const difference = (left: Partitions, right: Partitions): Partitions =>
  filtered(left, (topicId, partition) => !has(right, topicId, partition))

export function union(left: Partitions, right: Partitions): Partitions {
  const all = new Map(left)
  for (const [topicId, partitions] of right)
    all.set(topicId, ascending(new Set([...(all.get(topicId) ?? []), ...partitions])))
  return all
}

export function isSubset(left: Partitions, right: Partitions): boolean {
  for (const [topicId, partitions] of left)
    for (const partition of partitions) if (!has(right, topicId, partition)) return false
  return true
}

export function sizeOf(set: Partitions): number {
  let size = 0
  for (const partitions of set.values()) size += partitions.length
  return size
}

export const equal = (left: Partitions, right: Partitions): boolean =>
  sizeOf(left) === sizeOf(right) && isSubset(left, right)

const ascending = (partitions: Iterable<number>): number[] => [...partitions].sort((left, right) => left - right)
