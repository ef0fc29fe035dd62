/** Where the changelogs of tasks can be read to: by task, the sum over its stores. Tasks without state are left out. */
import { formatTaskId, type TaskId } from "../topology/naming.ts"
import { isLogged } from "../topology/node.ts"
import type { Topology } from "../topology/topology.ts"
import { partitionName, type TopicPartition } from "./ports.ts"

export type ReadableEnds = (partitions: readonly TopicPartition[]) => Promise<ReadonlyMap<string, number>>

export async function changelogEnds(
  topology: Topology,
  ids: readonly TaskId[],
  readableEnds: ReadableEnds,
): Promise<Map<string, number>> {
  const changelogs = ids.flatMap((id) =>
    topology.subtopologies[id.subtopology]!.stores.filter(isLogged).map(({ changelog }) => ({
      task: formatTaskId(id),
      topic: changelog,
      partition: id.partition,
    })),
  )
  const ends = await readableEnds(changelogs)
  const sums = new Map<string, number>()
  for (const changelog of changelogs) {
    const { task } = changelog
    sums.set(task, (sums.get(task) ?? 0) + (ends.get(partitionName(changelog)) ?? 0))
  }
  return sums
}
