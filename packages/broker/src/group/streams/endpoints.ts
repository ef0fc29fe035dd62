/** Where the stores of a streams group can be queried: the partitions that each member's endpoint answers for. */
import type { StreamsGroupHeartbeatResponse } from "@millrace/protocol/messages/streams-group-heartbeat"
import type { Partitions } from "../consumer/partitions.ts"
import { union } from "../consumer/partitions.ts"
import type { GroupTopics } from "../consumer/topics.ts"
import type { StreamsMember } from "./member.ts"
import { inputTopics, type Topology } from "./topology.ts"

type Endpoints = NonNullable<StreamsGroupHeartbeatResponse["partitionsByUserEndpoint"]>

export function partitionsByEndpoint(
  members: Iterable<StreamsMember>,
  topology: Topology,
  topics: GroupTopics,
): Endpoints {
  const found: Endpoints = []
  for (const { userEndpoint, assigned } of members) {
    if (userEndpoint === null) continue
    found.push({
      userEndpoint: { ...userEndpoint },
      activePartitions: inputs(assigned.active, topology, topics),
      // A warm-up is a standby while it warms up.
      standbyPartitions: inputs(union(assigned.standby, assigned.warmup), topology, topics),
    })
  }
  return found
}

/** The partitions that tasks read. A topic with fewer partitions than its subtopology has tasks is not read by them all. */
function inputs(tasks: Partitions, topology: Topology, topics: GroupTopics) {
  return [...tasks].flatMap(([subtopologyId, partitions]) => {
    const subtopology = topology.subtopologies.find((one) => one.subtopologyId === subtopologyId)
    return (subtopology === undefined ? [] : inputTopics(subtopology)).flatMap((topic) => {
      const count = topics.byName(topic)?.partitionCount ?? 0
      const read = partitions.filter((partition) => partition < count)
      return read.length === 0 ? [] : [{ topic, partitions: read }]
    })
  })
}
