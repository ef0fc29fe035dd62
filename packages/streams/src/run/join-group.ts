/**
 * The consumer that makes a worker a member of its application's group, by either protocol: the classic one with our
 * assignor, or the streams one, in which the broker assigns.
 */
import type { Consumer, ConsumerOptions, KafkaClient } from "@millrace/client"
import type { PartitionCounts } from "../topology/partitions.ts"
import type { Topology } from "../topology/topology.ts"
import { streamsAssignor } from "./assignor.ts"
import type { AssignedCopies, TaskEndpoints } from "./assignor-data.ts"
import type { ReadableEnds } from "./changelog-ends.ts"
import type { Identity } from "./identity.ts"
import type { ResolvedRunOptions } from "./options.ts"
import { streamsGroup } from "./streams-group.ts"

export interface GroupMember {
  readonly topology: Topology
  readonly partitions: PartitionCounts
  readonly worker: number
  /** Client id, `group.instance.id` and transactional id: the same again after a restart, and of this worker alone (E1). */
  readonly name: string
  /** How far the state of tasks goes that are not running here: the sum of offsets in their changelogs. */
  readonly positions: () => Readonly<Record<string, number>>
  /** Tasks of which this member keeps copies. */
  readonly standing: () => readonly string[]
  readonly readableEnds: ReadableEnds
  /** Where this process answers queries. */
  readonly endpoint?: string
  readonly onCopies: (copies: AssignedCopies) => void
  readonly onEndpoints: (endpoints: TaskEndpoints) => void
  readonly onFailure: (failure: unknown) => void
}

export function joinGroup(
  client: KafkaClient,
  options: ResolvedRunOptions,
  { processId, isPersistent }: Identity,
  member: GroupMember,
): Consumer {
  const protocol = options.groupProtocol === "streams" ? streams() : classic()
  const consumer: Consumer = client.consumer({
    groupId: options.applicationId,
    ...protocol,
    isolation: options.processingGuarantee === "exactly-once" ? "read_committed" : "read_uncommitted",
    // Tasks say where to begin. This is for positions that left the log: the purge may have passed one that stands before
    // a transaction's marker, and whoever reads late reads what is left.
    autoOffsetReset: "earliest",
    sessionTimeoutMs: options.sessionTimeoutMs,
    heartbeatIntervalMs: options.heartbeatIntervalMs,
    maxPollRecords: options.bufferedRecordsMax,
    // A process that ends in order gives its tasks to the others at once, unless it says that it remains; one that is killed
    // comes back to them.
    leaveOnClose: true,
  })
  return consumer

  function classic(): ConsumerOptions {
    const { name, onCopies, onEndpoints, ...rest } = member
    const assignor = streamsAssignor({
      ...rest,
      processId,
      rules: options,
      tags: options.clientTags,
      custom: options.assignor,
      log: options.log,
      onAwaited: () => consumer.enforceRebalance("others wait for tasks that this process has"),
      onNotice(notice) {
        onEndpoints(notice.endpoints)
        onCopies(notice)
      },
    })
    return { assignors: [assignor], ...(isPersistent && { groupInstanceId: name }) }
  }

  function streams(): ConsumerOptions {
    const { name, ...rest } = member
    const memberId = isPersistent ? name : undefined
    const { log, host, clientTags } = options
    return { streams: streamsGroup({ ...rest, processId, memberId, tags: clientTags, clock: host.clock, log }) }
  }
}
