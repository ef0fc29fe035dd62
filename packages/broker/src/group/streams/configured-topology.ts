/**
 * A topology against the topics there are: how many tasks each subtopology has, which internal topics are missing, and what
 * keeps the group from running.
 *
 * A repartition topic without a given count gets the largest count among the inputs of the subtopology that writes it;
 * topics of a copartition group have one count; a changelog has as many partitions as its subtopology has tasks.
 */
import { ErrorCode } from "@millrace/protocol"
import { type StreamsGroupStatus, StreamsStatus } from "@millrace/protocol/streams-status"
import type { GroupTopics } from "../consumer/topics.ts"
import type { GroupShardState } from "../group-state.ts"
import type { Fault } from "../member-place.ts"
import type { StreamsGroup } from "./group.ts"
import { inputTopics, requiredTopics, type Subtopology, type TopicInfo, type Topology } from "./topology.ts"

export interface InternalTopic {
  readonly name: string
  readonly partitions: number
  /** 0 leaves it to the broker. */
  readonly replicationFactor: number
  readonly configs: readonly { readonly key: string; readonly value: string }[]
}

export interface ConfiguredTopology {
  /** Why tasks cannot run yet. */
  readonly status: StreamsGroupStatus | undefined
  /** Tasks of each subtopology, in the order of their ids; empty before the counts can be told. */
  readonly taskCounts: ReadonlyMap<string, number>
  /** Subtopologies whose stores have changelogs: these can have standbys. */
  readonly stateful: ReadonlySet<string>
  /** Of internal topics. */
  readonly partitionCounts: ReadonlyMap<string, number>
  readonly missing: readonly InternalTopic[]
}

/** A topology that no topics could satisfy. */
class InvalidTopology extends Error {}

class Unready extends Error {
  readonly statusCode: number
  constructor(statusCode: number, detail: string) {
    super(detail)
    this.statusCode = statusCode
  }
}

/** The topology against the topics there are now; found out anew when these have changed. */
export function configuredTopology(
  { topics }: GroupShardState,
  group: StreamsGroup,
  topology: Topology,
): ConfiguredTopology | Fault {
  const { configured, checkedVersion } = group.soft
  if (configured !== undefined && checkedVersion === topics.version) return configured
  return configureTopology(topology, topics)
}

export function configureTopology(topology: Topology, topics: GroupTopics): ConfiguredTopology | Fault {
  try {
    return configured(topology, topics)
  } catch (cause) {
    if (cause instanceof InvalidTopology)
      return { errorCode: ErrorCode.STREAMS_INVALID_TOPOLOGY, message: cause.message }
    if (!(cause instanceof Unready)) throw cause
    return {
      status: { statusCode: cause.statusCode, statusDetail: cause.message },
      taskCounts: new Map(),
      stateful: new Set(),
      partitionCounts: new Map(),
      missing: [],
    }
  }
}

function configured(topology: Topology, topics: GroupTopics): ConfiguredTopology {
  const subtopologies = [...topology.subtopologies].sort((left, right) =>
    left.subtopologyId < right.subtopologyId ? -1 : 1,
  )
  checkSources(subtopologies, topics)
  const decided = repartitionCounts(subtopologies, topics)
  const countOf = (name: string): number | undefined => topics.byName(name)?.partitionCount ?? decided.get(name)
  const fixed = new Set(
    subtopologies.flatMap((one) =>
      one.repartitionSourceTopics.filter(({ partitions }) => partitions !== 0).map(({ name }) => name),
    ),
  )
  for (const subtopology of subtopologies) enforceCopartitions(subtopology, fixed, decided, countOf)
  const taskCounts = new Map<string, number>()
  const stateful = new Set<string>()
  const expected = new Map<string, InternalTopic>()
  for (const subtopology of subtopologies) {
    const { subtopologyId, repartitionSourceTopics, stateChangelogTopics } = subtopology
    const tasks = greatest(inputTopics(subtopology).map((name) => countOf(name) ?? 0))
    taskCounts.set(subtopologyId, tasks)
    if (stateChangelogTopics.length > 0) stateful.add(subtopologyId)
    for (const topic of repartitionSourceTopics)
      expected.set(topic.name, internalTopic(topic, decided.get(topic.name) ?? topic.partitions))
    for (const topic of stateChangelogTopics) expected.set(topic.name, internalTopic(topic, tasks))
  }
  const partitionCounts = new Map([...expected].map(([name, { partitions }]) => [name, partitions]))
  for (const name of requiredTopics(topology)) {
    const found = topics.byName(name)
    const wanted = expected.get(name)
    if (found === undefined || wanted === undefined) continue
    if (found.partitionCount !== wanted.partitions)
      throw new Unready(
        StreamsStatus.INCORRECTLY_PARTITIONED_TOPICS,
        `Existing topic ${name} has different number of partitions: expected ${wanted.partitions}, found ${found.partitionCount}`,
      )
    expected.delete(name)
  }
  const missing = [...expected.values()]
  const status =
    missing.length === 0
      ? undefined
      : {
          statusCode: StreamsStatus.MISSING_INTERNAL_TOPICS,
          statusDetail: `Internal topics are missing: ${summary(missing.map(({ name }) => name))}`,
        }
  return { status, taskCounts, stateful, partitionCounts, missing }
}

function checkSources(subtopologies: readonly Subtopology[], topics: GroupTopics): void {
  const missing = new Set<string>()
  for (const subtopology of subtopologies) {
    if (inputTopics(subtopology).length === 0)
      throw new InvalidTopology(`No source topics found for subtopology ${subtopology.subtopologyId}`)
    for (const name of subtopology.sourceTopics) if (topics.byName(name) === undefined) missing.add(name)
  }
  if (missing.size > 0)
    throw new Unready(StreamsStatus.MISSING_SOURCE_TOPICS, `Source topics ${summary([...missing].sort())} are missing.`)
}

/** Counts flow from sources through repartition topics, subtopology by subtopology, until all are known. */
function repartitionCounts(subtopologies: readonly Subtopology[], topics: GroupTopics): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { repartitionSourceTopics } of subtopologies)
    for (const { name, partitions } of repartitionSourceTopics) if (partitions !== 0) counts.set(name, partitions)
  for (;;) {
    let progress = false
    let unknown = false
    for (const { sourceTopics, repartitionSourceTopics, repartitionSinkTopics } of subtopologies) {
      for (const sink of repartitionSinkTopics) {
        if (counts.has(sink)) continue
        const known: number[] = [
          ...repartitionSourceTopics.flatMap(({ name }) => counts.get(name) ?? []),
          ...sourceTopics.flatMap((name) => topics.byName(name)?.partitionCount ?? []),
        ]
        if (known.length === 0) unknown = true
        else {
          counts.set(sink, greatest(known))
          progress = true
        }
      }
    }
    if (!unknown) break
    if (!progress)
      throw new InvalidTopology(
        "Failed to compute number of partitions for all repartition topics. There may be loops in the topology that cannot be resolved.",
      )
  }
  for (const { repartitionSourceTopics } of subtopologies)
    for (const { name } of repartitionSourceTopics)
      if (!counts.has(name))
        throw new InvalidTopology(
          "Failed to compute number of partitions for all repartition topics, because a repartition source topic is never used as a sink topic.",
        )
  return counts
}

function enforceCopartitions(
  { sourceTopics, repartitionSourceTopics, copartitionGroups }: Subtopology,
  /** Repartition topics whose counts were given. */
  fixed: ReadonlySet<string>,
  decided: Map<string, number>,
  countOf: (name: string) => number | undefined,
): void {
  const repartitionNames = repartitionSourceTopics.map(({ name }) => name)
  for (const group of copartitionGroups) {
    const external = named(group.sourceTopics, sourceTopics)
    const internal = named(group.repartitionSourceTopics, repartitionNames)
    const count = (name: string) => countOf(name) ?? 0
    const pinned = internal.filter((name) => fixed.has(name))
    const decisive = external.length > 0 ? external : pinned.length > 0 ? pinned : internal
    if (decisive.length === 0) continue
    const counts = decisive.map(count)
    const agreed = greatest(counts)
    const mayDiffer = external.length === 0 && pinned.length === 0
    if (!mayDiffer && counts.some((one) => one !== agreed)) {
      const listed = decisive.map((name) => `${name}=${count(name)}`).sort()
      throw new Unready(
        StreamsStatus.INCORRECTLY_PARTITIONED_TOPICS,
        `Following topics do not have the same number of partitions: [{${listed.join(", ")}}]`,
      )
    }
    for (const name of internal) {
      if (fixed.has(name) && count(name) !== agreed)
        throw new Unready(
          StreamsStatus.INCORRECTLY_PARTITIONED_TOPICS,
          `Number of partitions [${count(name)}] of repartition topic [${name}] doesn't match number of partitions [${agreed}] of the source topic.`,
        )
      decided.set(name, agreed)
    }
  }
}

/** Copartition groups name topics by their places in the subtopology's lists. */
function named(places: readonly number[], names: readonly string[]): string[] {
  return places.map((place) => {
    const name = names[place]
    if (name === undefined) throw new InvalidTopology(`a copartition group names topic ${place} of ${names.length}`)
    return name
  })
}

/** A list may be longer than a call's arguments. */
const greatest = (counts: readonly number[]): number =>
  counts.reduce((most, count) => Math.max(most, count), Number.NEGATIVE_INFINITY)

const internalTopic = ({ name, replicationFactor, topicConfigs }: TopicInfo, partitions: number): InternalTopic => ({
  name,
  partitions,
  replicationFactor,
  configs: topicConfigs,
})

const shownAtMost = 3

function summary(names: readonly string[]): string {
  const more = names.length - shownAtMost
  return names.slice(0, shownAtMost).join(", ") + (more > 0 ? ` and ${more} additional topics` : "")
}
