/**
 * The figures of a broker at one instant: what it has counted, and what its logs, connections and groups are like.
 */
import type { DiskSpace } from "@millrace/host"
import type { HistogramSnapshot } from "@millrace/metrics"
import { ErrorCode } from "@millrace/protocol"
import type { Services } from "../api/handler.ts"
import type { GroupRequestContext } from "../group/coordinator.ts"
import type { BrokerCounters, ThrottleCounts, TopicCounts } from "./counters.ts"

export interface BrokerReport {
  readonly requests: readonly { readonly api: string; readonly time: HistogramSnapshot }[]
  readonly topics: readonly ({ readonly topic: string } & Readonly<TopicCounts>)[]
  readonly partitions: readonly PartitionReport[]
  readonly partitionCount: number
  readonly offlinePartitions: number
  readonly topicCount: number
  readonly metadataOffset: number
  readonly connections: number
  readonly connectionsAccepted: number
  readonly connectionsRefused: number
  readonly certificates: readonly CertificateReport[]
  readonly failedAuthentications: readonly { readonly listener: string; readonly count: number }[]
  readonly denials: readonly { readonly operation: string; readonly resource: string; readonly count: number }[]
  readonly throttled: Readonly<ThrottleCounts>
  readonly fetchSessions: number
  readonly waitingFetches: number
  readonly groups: readonly GroupReport[]
  /** Of the device with the data directory; undefined where the system does not tell. */
  readonly space: DiskSpace | undefined
  readonly uptimeMs: number
}

/** Of what a listener shows. */
export interface CertificateReport {
  readonly listener: string
  readonly notAfterMs: number
}

export interface PartitionReport {
  readonly topic: string
  readonly partition: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly bytes: number
  readonly segments: number
}

export interface GroupReport {
  readonly group: string
  readonly type: string
  readonly state: string
  /** Of partitions that are on this broker. */
  readonly lags: readonly { readonly topic: string; readonly partition: number; readonly lag: number }[]
}

export interface ReportOptions {
  readonly services: Pick<Services, "image" | "replicas" | "groups" | "fetchSessions" | "clock">
  readonly counters: BrokerCounters
  readonly connections: () => number
  readonly certificates: () => readonly CertificateReport[]
  readonly startedAtMs: number
}

/** Whose questions to the group coordinator these are. */
const ASKER: GroupRequestContext = { apiVersion: 5, clientId: "metrics", clientHost: "/metrics" }
const OFFSET_FETCH: GroupRequestContext = { ...ASKER, apiVersion: 8 }

export async function reportBroker(options: ReportOptions): Promise<BrokerReport> {
  const { services, counters } = options
  const { image, replicas, fetchSessions, clock } = services
  const all = [...replicas.partitions()]
  return {
    requests: [...counters.requests].map(([api, time]) => ({ api, time: time.snapshot() })),
    topics: [...counters.topics].map(([topic, counts]) => ({ topic, ...counts })),
    // A log that nobody has used is not opened for its figures.
    partitions: all.flatMap((partition) => {
      if (!partition.isOpen || partition.isOffline) return []
      const { topic, index, highWatermark, log } = partition
      const { logStartOffset, logEndOffset, size, segmentCount } = log
      return [
        { topic, partition: index, logStartOffset, logEndOffset, highWatermark, bytes: size, segments: segmentCount },
      ]
    }),
    partitionCount: all.length,
    offlinePartitions: replicas.offlineCount,
    topicCount: [...image.topics()].length,
    metadataOffset: image.offset,
    connections: options.connections(),
    connectionsAccepted: counters.connectionsAccepted,
    connectionsRefused: counters.connectionsRefused,
    certificates: options.certificates(),
    failedAuthentications: [...counters.failedAuthentications].map(([listener, count]) => ({ listener, count })),
    denials: [...counters.denials].flatMap(([operation, ofOperation]) =>
      [...ofOperation].map(([resource, count]) => ({ operation, resource, count })),
    ),
    throttled: { ...counters.throttled },
    fetchSessions: fetchSessions.size,
    waitingFetches: all.reduce((sum, { fetchWaiters }) => sum + fetchWaiters.size, 0),
    groups: await reportGroups(services),
    space: replicas.space(),
    uptimeMs: clock.monotonic() - options.startedAtMs,
  }
}

/** Of a coordinator that is still loading there is nothing to tell. */
async function reportGroups({ groups, replicas }: ReportOptions["services"]): Promise<GroupReport[]> {
  const listed = await groups.listGroups(ASKER, { statesFilter: [], typesFilter: [] })
  const fetched = await groups.offsetFetch(OFFSET_FETCH, {
    groupId: "",
    topics: [],
    requireStable: false,
    groups: listed.groups.map(({ groupId }) => ({ groupId, memberId: null, memberEpoch: -1, topics: null })),
  })
  const offsets = new Map(fetched.groups.map((group) => [group.groupId, group]))
  return listed.groups.map(({ groupId, groupState, groupType }) => {
    const { topics = [], errorCode = ErrorCode.NONE } = offsets.get(groupId) ?? {}
    const committed = errorCode === ErrorCode.NONE ? topics : []
    const lags = committed.flatMap(({ name, partitions }) =>
      partitions.flatMap(({ partitionIndex, committedOffset }) => {
        const partition = replicas.partition(name, partitionIndex)
        if (partition === undefined || partition.isOffline || committedOffset < 0) return []
        return [{ topic: name, partition: partitionIndex, lag: Math.max(0, partition.highWatermark - committedOffset) }]
      }),
    )
    return { group: groupId, type: groupType, state: groupState, lags }
  })
}
