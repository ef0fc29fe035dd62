/**
 * Topics that a pipeline needs: source topics must exist, repartition topics and changelogs are created.
 *
 * Changelogs are compacted, those of window and versioned stores too: what expired is deleted by tombstones in stream time,
 * while a broker's retention goes by the wall clock and would take the windows of old data. Repartition topics keep
 * everything until the runtime purges what was committed.
 */
import type { Admin, NewTopic } from "@millrace/client"
import { PipelineError } from "../errors.ts"
import { type PartitionCounts, resolvePartitions, taskCount } from "../topology/partitions.ts"
import { isLogged } from "../topology/node.ts"
import { deadLetterTopics, lateTopics } from "../topology/side-topics.ts"
import type { Topology } from "../topology/topology.ts"

const REPARTITION_SEGMENT_BYTES = 50 * 1024 * 1024

export interface PreparedTopics {
  readonly partitions: PartitionCounts
  /** Ids of the changelogs, those of global tables included. */
  readonly topicIds: ReadonlyMap<string, string>
  /** Written to, and not there. */
  readonly absent: readonly string[]
}

export async function prepareTopics(
  topology: Topology,
  admin: Admin,
  createTopics: { readonly partitions: number } | undefined,
): Promise<PreparedTopics> {
  const internal = new Set(topology.repartitions.map(({ topic }) => topic))
  const sources = topology.subtopologies.flatMap((one) => one.sources.map(({ topic }) => topic))
  const globals = topology.globals.map(({ topic }) => topic)
  const external = [...new Set([...sources, ...globals].filter((topic) => !internal.has(topic)))]
  const written = writtenTopics(topology)
  const needed = [...new Set([...external, ...written])]
  let found = await admin.describeTopics(needed)
  const absent = without(needed, found)
  if (createTopics !== undefined && absent.length > 0) {
    await admin.createTopics(
      absent.map((name) => ({ name, ...createTopics })),
      { ifNotExists: true },
    )
    found = await admin.describeTopics(needed)
  }
  const counts = new Map<string, number>()
  const globalIds = new Map<string, string>()
  for (const { name, partitions, topicId } of found) {
    if (!external.includes(name)) continue
    counts.set(name, partitions.length)
    if (globals.includes(name)) globalIds.set(name, topicId ?? name)
  }
  const missing = external.filter((topic) => !counts.has(topic))
  if (missing.length > 0) {
    const names = missing.map((topic) => `"${topic}"`).join(", ")
    const [what, which] =
      missing.length === 1 ? ["topic", "does not exist: create it"] : ["topics", "do not exist: create them"]
    throw new PipelineError(
      `pipeline "${topology.plan.pipeline}": ${what} ${names} ${which} first, or run it with createTopics (--create-topics N)`,
    )
  }
  const partitions = new Map(resolvePartitions(topology, counts))
  const asked = partitioned(topology, partitions)
  if (asked.length > 0) {
    for (const { name, partitions: found } of await admin.describeTopics(asked)) partitions.set(name, found.length)
  }
  const wanted = internalTopics(topology, partitions)
  const names = wanted.map(({ name }) => name)
  const toCreate = new Set(without(names, await admin.describeTopics(names)))
  if (toCreate.size > 0)
    await admin.createTopics(
      wanted.filter(({ name }) => toCreate.has(name)),
      { ifNotExists: true },
    )
  return {
    partitions,
    topicIds: new Map([...globalIds, ...(await verify(topology, admin, wanted))]),
    absent: createTopics === undefined ? absent : [],
  }
}

/** Topics of others that a pipeline writes to: of sinks, for what fails, for what comes late. */
export function writtenTopics(topology: Topology): string[] {
  const sinks = topology.nodes.filter(({ kind }) => kind === "to").flatMap(({ topic }) => topic ?? [])
  const beside = [...deadLetterTopics(topology), ...lateTopics(topology)].map(({ topic }) => topic)
  return [...new Set([...sinks, ...beside])]
}

/** Topics written to by a partitioner of the user's, which asks how many partitions there are. */
function partitioned(topology: Topology, known: PartitionCounts): string[] {
  const sinks = topology.nodes.filter(({ kind, logical }) => kind === "to" && logical.functions["partitioner"])
  return [...new Set(sinks.map(({ topic }) => topic!))].filter((topic) => !known.has(topic))
}

function without(topics: readonly string[], described: readonly { readonly name: string }[]): string[] {
  const found = new Set(described.map(({ name }) => name))
  return topics.filter((topic) => !found.has(topic))
}

export function internalTopics(topology: Topology, partitions: PartitionCounts): NewTopic[] {
  const repartitions = topology.repartitions.map(({ topic }) => ({
    name: topic,
    partitions: partitions.get(topic)!,
    configs: { "cleanup.policy": "delete", "retention.ms": "-1", "segment.bytes": String(REPARTITION_SEGMENT_BYTES) },
  }))
  const changelogs = topology.subtopologies.flatMap(({ id, stores }) =>
    stores.filter(isLogged).map(({ changelog, logging }) => ({
      name: changelog,
      partitions: taskCount(topology, id, partitions)!,
      configs: { "cleanup.policy": "compact", ...logging },
    })),
  )
  return [...repartitions, ...changelogs]
}

/** Internal topics that exist from before must fit: state would be read from the wrong partitions otherwise. */
async function verify(topology: Topology, admin: Admin, wanted: readonly NewTopic[]): Promise<Map<string, string>> {
  const found = new Map((await admin.describeTopics(wanted.map(({ name }) => name))).map((one) => [one.name, one]))
  const ids = new Map<string, string>()
  for (const { name, partitions } of wanted) {
    const topic = found.get(name)
    if (topic === undefined) throw new PipelineError(`topic "${name}" was created and is not there`)
    if (topic.partitions.length !== partitions) {
      throw new PipelineError(
        `application "${topology.applicationId}": topic "${name}" has ${topic.partitions.length} partitions and needs ` +
          `${partitions}: the input topics were changed; begin under a new applicationId`,
      )
    }
    // Brokers that know no topic ids cannot tell a new topic from an old one of the same name.
    ids.set(name, topic.topicId ?? name)
  }
  return ids
}
