/**
 * How many partitions repartition topics get, and so how many tasks each sub-topology has.
 *
 * A repartition topic has as many partitions as the topics it must be co-partitioned with; without such topics, as many
 * as its upstream sub-topology has tasks. Topics that exist and disagree cannot be mended here: that is an error.
 */
import { PipelineError } from "../errors.ts"
import type { Topology } from "./topology.ts"

/** Every source topic's partition count, repartition topics included. */
export type PartitionCounts = ReadonlyMap<string, number>

export function resolvePartitions(topology: Topology, external: PartitionCounts): PartitionCounts {
  const counts = new Map(external)
  const fixed = new Set(external.keys())
  for (const { topic, partitions } of topology.repartitions) {
    if (partitions === undefined) counts.delete(topic)
    else counts.set(topic, partitions)
    fixed.delete(topic)
  }
  const explicit = new Set(topology.repartitions.flatMap((one) => (one.partitions === undefined ? [] : [one.topic])))
  const groups = topology.subtopologies.flatMap((one) => one.copartitioned)
  // One round, most often: topics come in the order in which records go through them.
  for (let round = 0, hasChanged = true; hasChanged && round <= topology.repartitions.length; round++) {
    hasChanged = false
    const set = (topic: string, count: number): void => {
      if (counts.get(topic) === count) return
      counts.set(topic, count)
      hasChanged = true
    }
    for (const group of groups) agree(group, counts, fixed, explicit, set)
    for (const { topic, upstream } of topology.repartitions) {
      const tasks = taskCount(topology, upstream, counts)
      if (!counts.has(topic) && tasks !== undefined) set(topic, tasks)
    }
  }
  for (const group of groups) assertEqual(topology, group, counts)
  for (const { topic } of topology.repartitions) {
    if (!counts.has(topic)) throw new PipelineError(`topic "${topic}": the number of partitions cannot be derived`)
  }
  return counts
}

/** Gives the topics of a co-partitioned group that may still choose the count of those that may not. */
function agree(
  group: readonly string[],
  counts: PartitionCounts,
  fixed: ReadonlySet<string>,
  explicit: ReadonlySet<string>,
  set: (topic: string, count: number) => void,
): void {
  const given = group.filter((topic) => fixed.has(topic))
  const chosen = given.length > 0 ? given : group
  const count = Math.max(0, ...chosen.map((topic) => counts.get(topic) ?? 0))
  if (count === 0) return
  for (const topic of group) if (!fixed.has(topic) && !explicit.has(topic)) set(topic, count)
}

function assertEqual(topology: Topology, group: readonly string[], counts: PartitionCounts): void {
  const distinct = new Set(group.map((topic) => counts.get(topic)))
  if (distinct.size <= 1) return
  const listed = group.map((topic) => `${topic} has ${counts.get(topic) ?? 0}`).join(", ")
  throw new PipelineError(
    `pipeline "${topology.plan.pipeline}": topics that are joined or merged must have the same number of partitions, ` +
      `but ${listed}; repartition one of them with keyBy`,
  )
}

/** The most partitions among a sub-topology's sources; undefined while one of them is not known. */
export function taskCount(topology: Topology, subtopology: number, counts: PartitionCounts): number | undefined {
  let most = 0
  let known = true
  for (const { topic } of topology.subtopologies[subtopology]!.sources) {
    const count = counts.get(topic)
    if (count === undefined) known = false
    else most = Math.max(most, count)
  }
  return known ? most : undefined
}
