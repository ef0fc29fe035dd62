/** Requests that name partitions by topic, as they are answered: each topic once, and none without partitions. */

interface TopicPartitions<P> {
  readonly name: string
  readonly partitions: readonly P[]
}

/** A partition that is named twice counts as it was named last. */
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
