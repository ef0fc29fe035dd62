/**
 * The streams group protocol (KIP-1071), `group.protocol=streams` in Kafka Streams: the broker decides which tasks run where,
 * instead of our assignor on the group's leader.
 *
 * The topology is told as the broker wants it: sub-topologies by their numbers, with their topics. The counts of
 * repartition topics go with it, so that the broker lays tasks out as we do. Whoever has another topology is refused. Tasks
 * come back, which copies to keep, and where others answer queries.
 *
 * A process that keeps its identity keeps its member id: killed and started again it is the same member, and has its tasks
 * at once.
 */
import { type StreamsGroupOptions, type StreamsGroupStatus, StreamsStatus, type TopicPartition } from "@millrace/client"
import { type Clock, formatAddress, parseAddress, type Timer } from "@millrace/host"
import { PipelineError } from "../errors.ts"
import { formatTaskId, parseTaskId } from "../topology/naming.ts"
import type { PartitionCounts } from "../topology/partitions.ts"
import type { Topology } from "../topology/topology.ts"
import type { AssignedCopies, TaskEndpoints } from "./assignor-data.ts"
import { changelogEnds, type ReadableEnds } from "./changelog-ends.ts"
import { grownTopicMessage } from "./grown-topic.ts"
import { internalTopics } from "./internal-topics.ts"

export interface StreamsGroupSettings {
  readonly topology: Topology
  readonly partitions: PartitionCounts
  readonly processId: string
  readonly memberId: string | undefined
  readonly endpoint?: string
  readonly tags: Readonly<Record<string, string>>
  /** How far the state of tasks goes that are not running here: the sum of offsets in their changelogs. */
  readonly positions: () => Readonly<Record<string, number>>
  readonly readableEnds: ReadableEnds
  readonly clock: Clock
  readonly log: (message: string) => void
  readonly onCopies: (copies: AssignedCopies) => void
  readonly onEndpoints: (endpoints: TaskEndpoints) => void
  /** The run cannot go on. */
  readonly onFailure: (failure: PipelineError) => void
}

/** Brokers learn of a new topic one after the other. */
const MISSING_TOPICS_MS = 10_000

export function streamsGroup(settings: StreamsGroupSettings): StreamsGroupOptions {
  const { topology, partitions, processId, memberId, tags, onCopies, onEndpoints, onFailure } = settings
  const endpoint = settings.endpoint === undefined ? undefined : parseAddress(settings.endpoint)
  const statuses = new Statuses(settings)
  return {
    topology: { epoch: 0, subtopologies: subtopologies(topology, partitions) },
    partitions: inputCounts(topology, partitions),
    processId,
    clientTags: tags,
    ...(memberId !== undefined && { memberId }),
    ...(endpoint && { endpoint }),
    taskOffsets: async () => {
      const positions = new Map(Object.entries(settings.positions()))
      const ends = await changelogEnds(topology, [...positions.keys()].map(parseTaskId), settings.readableEnds)
      return [...ends].map(([task, endOffset]) => {
        const { subtopology, partition } = parseTaskId(task)
        return { subtopologyId: String(subtopology), partition, offset: positions.get(task)!, endOffset }
      })
    },
    listener: {
      onTasks({ standby, warmup }) {
        onCopies({ standby: [...standby, ...warmup].map(taskName), warmup: warmup.map(taskName) })
      },
      onEndpoints(found) {
        const endpoints: Record<string, { active: string[]; standby: string[] }> = {}
        // Threads of one process are several members with one endpoint.
        for (const { endpoint, active, standby } of found) {
          const there = (endpoints[formatAddress(endpoint)] ??= { active: [], standby: [] })
          there.active.push(...tasksOf(topology, active))
          there.standby.push(...tasksOf(topology, standby))
        }
        onEndpoints(endpoints)
      },
      onStatuses: (told) => statuses.tell(told),
      onTopicGrown: (topic, before, now) =>
        onFailure(new PipelineError(grownTopicMessage(topology, topic, before, now))),
    },
  }
}

const taskName = ({ subtopologyId, partition }: { readonly subtopologyId: string; readonly partition: number }) =>
  formatTaskId({ subtopology: Number(subtopologyId), partition })

/** One sub-topology reads a topic: its tasks are told by the partitions that they read. */
function tasksOf({ subtopologies }: Topology, partitions: readonly TopicPartition[]): ReadonlySet<string> {
  const tasks = partitions.flatMap(({ topic, partition }) => {
    const reader = subtopologies.find(({ sources }) => sources.some((source) => source.topic === topic))
    return reader === undefined ? [] : [formatTaskId({ subtopology: reader.id, partition })]
  })
  return new Set(tasks)
}

const inputCounts = ({ subtopologies }: Topology, partitions: PartitionCounts): PartitionCounts =>
  new Map(subtopologies.flatMap(({ sources }) => sources.map(({ topic }) => [topic, partitions.get(topic)!] as const)))

function subtopologies(
  topology: Topology,
  partitions: PartitionCounts,
): StreamsGroupOptions["topology"]["subtopologies"] {
  const internal = new Map(internalTopics(topology, partitions).map((topic) => [topic.name, topic]))
  const described = (name: string, count: number) => {
    const { configs } = internal.get(name)!
    return { name, partitions: count, configs: configs ?? {} }
  }
  return topology.subtopologies.map(({ id, sources, stores, copartitioned }) => {
    const [own, given] = [sources.filter((one) => one.repartition), sources.filter((one) => !one.repartition)]
    const changelogs = new Set(stores.map(({ changelog }) => changelog))
    return {
      id: String(id),
      sourceTopics: given.map(({ topic }) => topic),
      repartitionSourceTopics: own.map(({ topic }) => described(topic, partitions.get(topic)!)),
      repartitionSinkTopics: topology.repartitions.flatMap(({ upstream, topic }) => (upstream === id ? [topic] : [])),
      changelogTopics: [...changelogs].filter((name) => internal.has(name)).map((name) => described(name, 0)),
      copartitionGroups: copartitioned,
    }
  })
}

/** What the group says beside tasks. */
class Statuses {
  readonly #settings: StreamsGroupSettings
  #missing: Timer | undefined

  constructor(settings: StreamsGroupSettings) {
    this.#settings = settings
  }

  tell(statuses: readonly StreamsGroupStatus[]): void {
    const { clock, log, topology } = this.#settings
    this.#missing?.cancel()
    this.#missing = undefined
    for (const { statusCode, statusDetail } of statuses) {
      const why = `application "${topology.applicationId}": ${statusDetail}`
      if (statusCode === StreamsStatus.MISSING_SOURCE_TOPICS) {
        const fail = () => this.#fail(`${why}: create them, and start again`)
        this.#missing = clock.setTimer(MISSING_TOPICS_MS, fail, { background: true })
      } else if (statusCode === StreamsStatus.INCORRECTLY_PARTITIONED_TOPICS) {
        this.#fail(`${why}: the topics were changed; begin under a new applicationId`)
      } else if (statusCode === StreamsStatus.STALE_TOPOLOGY) {
        this.#fail(`${why}: others run a newer version of the pipeline; start that one here too`)
      } else if (statusCode === StreamsStatus.SHUTDOWN_APPLICATION) {
        this.#fail(why)
      } else log(why)
    }
  }

  #fail(message: string): void {
    this.#settings.onFailure(new PipelineError(message))
  }
}
