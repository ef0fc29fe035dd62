/** Partitions by topic, as they are answered: each topic once. */

interface TopicPartitions<P> {
  readonly name: string
  readonly partitions: readonly P[]
}

/** Of a request. A partition that is named twice counts as it was named last; topics without partitions are left out. */
export function partitionsOnce<P extends { readonly partitionIndex: number }>(
  topics: readonly TopicPartitions<P>[],
): TopicPartitions<P>[] {
  const byTopic = new Map<string, Map<number, P>>()
  for (const { name, partitions } of topics) {
    let found = byTopic.get(name)
    if (found === undefined && partitions.length > 0) byTopic.set(name, (found = new Map()))
    for (const partition of partitions) found!.set(partition.partitionIndex, partition)
  }
  return [...byTopic].map(([name, partitions]) => ({ name, partitions: [...partitions.values()] }))
}

/** What is told of a topic in several places, in one. */
export function topicsOnce<T extends { readonly partitions: readonly unknown[] }>(
  topics: readonly T[],
  keyOf: (topic: T) => string | undefined,
): (Omit<T, "partitions"> & { readonly partitions: T["partitions"][number][] })[] {
  return [...Map.groupBy(topics, keyOf).values()].map((same) => ({
    ...same[0]!,
    partitions: same.flatMap(({ partitions }) => partitions as readonly T["partitions"][number][]),
  }))
}
