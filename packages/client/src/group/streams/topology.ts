/**
 * A topology as a member brings it to its streams group: subtopologies with the topics that they read, write and keep their
 * stores in. All members bring the same; the coordinator creates the internal topics that are missing.
 */
import type { StreamsGroupHeartbeatRequest } from "@millrace/protocol/messages/streams-group-heartbeat"
import type { TopicPartition } from "../assignor.ts"
import type { StreamsTaskId } from "./tasks.ts"

export interface StreamsInternalTopic {
  readonly name: string
  /** 0 leaves it to the coordinator; changelogs always do. */
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

export interface StreamsSubtopology {
  readonly id: string
  readonly sourceTopics: readonly string[]
  readonly repartitionSourceTopics: readonly StreamsInternalTopic[]
  readonly repartitionSinkTopics: readonly string[]
  readonly changelogTopics: readonly StreamsInternalTopic[]
  /** Of the topics that it reads: those that must have as many partitions as each other. */
  readonly copartitionGroups: ReadonlyArray<readonly string[]>
}

export interface StreamsTopology {
  /** Higher after a change of the program (KIP-1071). */
  readonly epoch: number
  readonly subtopologies: readonly StreamsSubtopology[]
}

type WireTopology = NonNullable<StreamsGroupHeartbeatRequest["topology"]>

/** Lists in the order of their names: coordinators compare them so. */
export function wireTopology({ epoch, subtopologies }: StreamsTopology): WireTopology {
  return { epoch, subtopologies: [...subtopologies].sort((left, right) => compare(left.id, right.id)).map(wired) }
}

function wired(one: StreamsSubtopology): WireTopology["subtopologies"][number] {
  const sourceTopics = [...one.sourceTopics].sort()
  const repartitionSourceTopics = topicInfos(one.repartitionSourceTopics)
  const places = (group: readonly string[], topics: readonly string[]) =>
    topics.flatMap((topic, place) => (group.includes(topic) ? [place] : []))
  return {
    subtopologyId: one.id,
    sourceTopics,
    sourceTopicRegex: [],
    stateChangelogTopics: topicInfos(one.changelogTopics),
    repartitionSinkTopics: [...one.repartitionSinkTopics].sort(),
    repartitionSourceTopics,
    copartitionGroups: one.copartitionGroups.map((group) => ({
      sourceTopics: places(group, sourceTopics),
      sourceTopicRegex: [],
      repartitionSourceTopics: places(
        group,
        repartitionSourceTopics.map(({ name }) => name),
      ),
    })),
  }
}

const topicInfos = (topics: readonly StreamsInternalTopic[]) =>
  topics
    .toSorted((left, right) => compare(left.name, right.name))
    .map(({ name, partitions, configs }) => ({
      name,
      partitions,
      // The broker's default.
      replicationFactor: 0,
      topicConfigs: Object.entries(configs)
        .sort(([left], [right]) => compare(left, right))
        .map(([key, value]) => ({ key, value })),
    }))

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

export const inputTopics = ({ sourceTopics, repartitionSourceTopics }: StreamsSubtopology): string[] => [
  ...sourceTopics,
  ...repartitionSourceTopics.map(({ name }) => name),
]

/** Which partitions tasks read: of each input of their subtopology theirs, where it has as many. */
export function partitionsOf(
  { subtopologies }: StreamsTopology,
  counts: ReadonlyMap<string, number>,
  tasks: readonly StreamsTaskId[],
): TopicPartition[] {
  const inputs = new Map(subtopologies.map((one) => [one.id, inputTopics(one)]))
  return tasks.flatMap(({ subtopologyId, partition }) =>
    (inputs.get(subtopologyId) ?? [])
      .filter((topic) => partition < (counts.get(topic) ?? 0))
      .map((topic) => ({ topic, partition })),
  )
}
