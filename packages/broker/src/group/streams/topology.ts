/**
 * A topology as members bring it: subtopologies with the topics they read, write and keep their stores in. The first
 * member's is the group's; who comes with another one of the same epoch is refused.
 */
import type { StreamsGroupTopologyValue } from "@millrace/protocol/records/streams-group"
import type { StreamsGroupDescribeResponse } from "@millrace/protocol/messages/streams-group-describe"

export type Topology = StreamsGroupTopologyValue
export type Subtopology = Topology["subtopologies"][number]
export type TopicInfo = Subtopology["stateChangelogTopics"][number]
type DescribedTopology = NonNullable<StreamsGroupDescribeResponse["groups"][number]["topology"]>

const byId = ({ subtopologies }: Topology) =>
  [...subtopologies].sort((left, right) => (left.subtopologyId < right.subtopologyId ? -1 : 1))

/** The order in which a client lists its subtopologies says nothing. */
export const sameTopology = (left: Topology, right: Topology): boolean =>
  left.epoch === right.epoch && JSON.stringify(byId(left)) === JSON.stringify(byId(right))

/** The topics that tasks of a subtopology read: its partitions are the tasks. */
export const inputTopics = ({ sourceTopics, repartitionSourceTopics }: Subtopology): string[] => [
  ...sourceTopics,
  ...repartitionSourceTopics.map(({ name }) => name),
]

/** Every topic that must be there before tasks run. */
export const requiredTopics = ({ subtopologies }: Topology): Set<string> =>
  new Set(subtopologies.flatMap((one) => [...inputTopics(one), ...one.stateChangelogTopics.map(({ name }) => name)]))

/** The subtopology whose tasks read a topic. */
export const readerOf = ({ subtopologies }: Topology, topic: string): Subtopology | undefined =>
  subtopologies.find((one) => inputTopics(one).includes(topic))

export function describedTopology(
  topology: Topology,
  partitionsOf: (topic: TopicInfo) => number = ({ partitions }) => partitions,
): DescribedTopology {
  const described = (topics: readonly TopicInfo[]) =>
    topics
      .map((topic) => ({ ...topic, partitions: partitionsOf(topic) }))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  return {
    epoch: topology.epoch,
    subtopologies: byId(topology).map((one) => ({
      subtopologyId: one.subtopologyId,
      sourceTopics: [...one.sourceTopics].sort(),
      repartitionSinkTopics: [...one.repartitionSinkTopics].sort(),
      repartitionSourceTopics: described(one.repartitionSourceTopics),
      stateChangelogTopics: described(one.stateChangelogTopics),
    })),
  }
}
