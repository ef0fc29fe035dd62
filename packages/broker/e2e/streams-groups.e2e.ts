/** Groups of Kafka Streams instances (KIP-1071), beside a real Apache Kafka. */
import type { Encodable } from "@millrace/protocol"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DeleteGroups } from "@millrace/protocol/messages/delete-groups"
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { StreamsGroupDescribe } from "@millrace/protocol/messages/streams-group-describe"
import {
  StreamsGroupHeartbeat,
  type StreamsGroupHeartbeatResponse,
} from "@millrace/protocol/messages/streams-group-heartbeat"
import { compare, group, oracle, topic } from "./oracle.ts"
import type { Side } from "./side.ts"

oracle()

const VERSION = 1
const MISSING_INTERNAL_TOPICS = 3
type Beat = Partial<Encodable<typeof StreamsGroupHeartbeat.request>>
type Tasks = NonNullable<StreamsGroupHeartbeatResponse["activeTasks"]>

const subtopology = (subtopologyId: string, fields: object) => ({
  subtopologyId,
  sourceTopics: [] as string[],
  sourceTopicRegex: [],
  stateChangelogTopics: [],
  repartitionSinkTopics: [],
  repartitionSourceTopics: [],
  copartitionGroups: [],
  ...fields,
})
const internal = (name: string, partitions = 0) => ({ name, partitions, replicationFactor: 0, topicConfigs: [] })
const reads = (source: string) => ({ epoch: 0, subtopologies: [subtopology("0", { sourceTopics: [source] })] })

const heartbeat = (side: Side, groupId: string, memberId: string, memberEpoch: number, rest: Beat = {}) =>
  side.ask(StreamsGroupHeartbeat, VERSION, {
    groupId,
    memberId,
    memberEpoch,
    endpointInformationEpoch: 0,
    ...rest,
  })

const joining = (source: string, rest: Beat = {}): Beat => ({
  rebalanceTimeoutMs: 60_000,
  topology: reads(source),
  processId: "process",
  activeTasks: [],
  standbyTasks: [],
  warmupTasks: [],
  ...rest,
})

const owning = (activeTasks: Tasks | null): Beat => ({ activeTasks, standbyTasks: [], warmupTasks: [] })

const describe = (side: Side, groupId: string) =>
  side.ask(StreamsGroupDescribe, VERSION, { groupIds: [groupId], includeAuthorizedOperations: false })

const MISSING_SOURCE_TOPICS = 1

/** Makes topics, and waits until the group's coordinator knows them, with a group that is gone again after. */
async function createTopics(side: Side, groupId: string, counts: Record<string, number>): Promise<void> {
  await side.coordinator(groupId, 0)
  const topics = Object.entries(counts).map(([name, numPartitions]) => ({
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }))
  await side.askSilently(CreateTopics, 7, { topics, timeoutMs: 30_000, validateOnly: false })
  const sourceTopics = Object.keys(counts)
  const topology = { epoch: 0, subtopologies: [subtopology("0", { sourceTopics })] }
  for (;;) {
    const probe = { groupId, memberId: "probe", endpointInformationEpoch: 0 }
    const { status } = await side.askSilently(StreamsGroupHeartbeat, VERSION, {
      ...probe,
      memberEpoch: 0,
      ...joining("", { topology }),
    })
    await side.askSilently(StreamsGroupHeartbeat, VERSION, { ...probe, memberEpoch: -1 })
    await side.askSilently(DeleteGroups, 2, { groupsNames: [groupId] })
    if (!status?.some(({ statusCode }) => statusCode === MISSING_SOURCE_TOPICS)) return
  }
}

compare("a member joins, is described, a second one comes, tasks move, both leave", async (side) => {
  const [groupId, source] = [group("streams-life"), `${topic}-streams-life`]
  await createTopics(side, groupId, { [source]: 4 })
  const first = await heartbeat(side, groupId, "one", 0, joining(source, { processId: "p1" }))
  await heartbeat(side, groupId, "one", first.memberEpoch)
  await describe(side, groupId)
  const { groups: listed } = await side.askSilently(ListGroups, 5, { statesFilter: [], typesFilter: ["streams"] })
  side.note(
    "listed",
    listed.filter((one) => one.groupId === groupId),
  )
  const second = await heartbeat(side, groupId, "two", 0, joining(source, { processId: "p2" }))
  const told = await heartbeat(side, groupId, "one", first.memberEpoch)
  await describe(side, groupId)
  await heartbeat(side, groupId, "two", second.memberEpoch)
  const after = await heartbeat(side, groupId, "one", told.memberEpoch, owning(told.activeTasks))
  await heartbeat(side, groupId, "two", second.memberEpoch)
  await describe(side, groupId)
  await heartbeat(side, groupId, "one", 99)
  await heartbeat(side, groupId, "stranger", 3)
  await side.ask(DeleteGroups, 2, { groupsNames: [groupId] })
  await heartbeat(side, groupId, "one", -1)
  await heartbeat(side, groupId, "two", second.memberEpoch)
  side.note("epochs", [first.memberEpoch, second.memberEpoch, told.memberEpoch, after.memberEpoch])
  await heartbeat(side, groupId, "two", -1)
  await describe(side, groupId)
  await side.ask(DeleteGroups, 2, { groupsNames: [groupId] })
  await describe(side, groupId)
})

compare("heartbeats that are refused", async (side) => {
  const [groupId, source] = [group("streams-refused"), `${topic}-streams-refused`]
  await createTopics(side, groupId, { [source]: 1 })
  const refused: Beat[] = [
    { topology: null },
    { rebalanceTimeoutMs: -1 },
    { activeTasks: [{ subtopologyId: "0", partitions: [0] }] },
    { standbyTasks: null },
    { instanceId: "" },
    { rackId: "" },
    { topology: { epoch: 0, subtopologies: [subtopology("0", { stateChangelogTopics: [internal("c", 1)] })] } },
    { topology: reads("__consumer_offsets") },
    { topology: reads("bad/name") },
  ]
  for (const rest of refused) await heartbeat(side, groupId, "one", 0, joining(source, rest))
  for (const epoch of [-3, -2, -1, 1]) await heartbeat(side, groupId, "one", epoch)
  await heartbeat(side, groupId, "", 0, joining(source))
  await describe(side, groupId)
})

compare("topics that are missing, of other counts, or to be created", async (side) => {
  const groupId = group("streams-topics")
  const [absent, a, b] = ["absent", "a", "b"].map((name) => `${topic}-streams-topics-${name}`) as [
    string,
    string,
    string,
  ]
  await side.coordinator(groupId, 0)
  await createTopics(side, `${groupId}-uneven`, { [a]: 2, [b]: 3 })
  await createTopics(side, groupId, { [`${topic}-streams-topics-c`]: 1 })
  await heartbeat(side, `${groupId}-absent`, "one", 0, joining(absent))
  await describe(side, `${groupId}-absent`)
  const copartitionGroups = [{ sourceTopics: [0, 1], sourceTopicRegex: [], repartitionSourceTopics: [] }]
  const uneven = { epoch: 0, subtopologies: [subtopology("0", { sourceTopics: [a, b], copartitionGroups })] }
  await heartbeat(side, `${groupId}-uneven`, "one", 0, joining(a, { topology: uneven }))
  const [words, counts] = [`${topic}-streams-words`, `${topic}-streams-counts`]
  const counting = {
    epoch: 0,
    subtopologies: [
      subtopology("0", { sourceTopics: [b], repartitionSinkTopics: [words] }),
      subtopology("1", { repartitionSourceTopics: [internal(words)], stateChangelogTopics: [internal(counts)] }),
    ],
  }
  const first = await heartbeat(side, groupId, "one", 0, joining(b, { topology: counting }))
  side.note(
    "asks for topics",
    first.status?.some(({ statusCode }) => statusCode === MISSING_INTERNAL_TOPICS),
  )
  // One broker has created them sooner than the other.
  const is = (found: StreamsGroupHeartbeatResponse) => found.status?.length === 0
  let { memberEpoch, activeTasks } = first
  for (let isWhole = false; !isWhole || activeTasks === null || activeTasks.length === 0;) {
    const next = await side.askSilently(StreamsGroupHeartbeat, VERSION, {
      groupId,
      memberId: "one",
      memberEpoch,
      endpointInformationEpoch: 0,
    })
    memberEpoch = next.memberEpoch
    if (next.activeTasks !== null) ({ activeTasks } = next)
    if (is(next)) isWhole = true
  }
  side.note("tasks", activeTasks)
  const { groups } = await side.askSilently(StreamsGroupDescribe, VERSION, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })
  side.note("topology", groups[0]!.topology)
})

compare("static members: taken, released, replaced, fenced", async (side) => {
  const [groupId, source] = [group("streams-static"), `${topic}-streams-static`]
  await createTopics(side, groupId, { [source]: 2 })
  const instance = { instanceId: "i" }
  await heartbeat(side, groupId, "one", 0, joining(source, instance))
  await heartbeat(side, groupId, "two", 0, joining(source, instance))
  await heartbeat(side, groupId, "one", -2, instance)
  const back = await heartbeat(side, groupId, "two", 0, joining(source, instance))
  await describe(side, groupId)
  await heartbeat(side, groupId, "one", 2, instance)
  await heartbeat(side, groupId, "two", back.memberEpoch, { ...instance, shutdownApplication: true })
  await heartbeat(side, groupId, "two", back.memberEpoch, instance)
  await heartbeat(side, groupId, "two", -1, instance)
})

compare("commits by member epoch", async (side) => {
  const [groupId, source] = [group("streams-commits"), `${topic}-streams-commits`]
  await createTopics(side, groupId, { [source]: 2 })
  const { memberEpoch } = await heartbeat(side, groupId, "one", 0, joining(source))
  const commit = (memberId: string, epoch: number, version = 9) =>
    side.ask(OffsetCommit, version, {
      groupId,
      memberId,
      generationIdOrMemberEpoch: epoch,
      topics: [{ name: source, partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: "" }] }],
    })
  await commit("one", memberEpoch)
  await commit("one", memberEpoch + 1)
  await commit("one", memberEpoch - 1)
  await commit("stranger", memberEpoch)
  await commit("", -1)
  await commit("one", memberEpoch, 8)
  for (const epoch of [memberEpoch, memberEpoch + 1])
    await side.ask(OffsetFetch, 9, {
      groups: [{ groupId, memberId: "one", memberEpoch: epoch, topics: [{ name: source, partitionIndexes: [0, 1] }] }],
      requireStable: true,
    })
})
