/**
 * Streams groups (KIP-1071): whether the cluster serves them, and what is known of one.
 */
import type { Address } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { StreamsGroupDescribe } from "@millrace/protocol/messages/streams-group-describe"
import { StreamsGroupHeartbeat } from "@millrace/protocol/messages/streams-group-heartbeat"
import { type Cluster, CoordinatorType } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import { NO_TASKS, type StreamsTasks, tasksOf } from "../group/streams/tasks.ts"
import { retrying } from "../network/retry.ts"

export interface StreamsGroupDescription {
  readonly groupId: string
  readonly state: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly members: readonly {
    readonly memberId: string
    readonly memberEpoch: number
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly host: string
    readonly processId: string
    readonly endpoint: Address | null
    readonly tasks: StreamsTasks
    /** What it will have once others have given it up, and it has what is others'. */
    readonly target: StreamsTasks
  }[]
}

const STREAMS_VERSION = "streams.version"
const NONE_OF_THAT_ID: ReadonlySet<number> = new Set([ErrorCode.GROUP_ID_NOT_FOUND, ErrorCode.UNSUPPORTED_VERSION])

/** Why the cluster serves none; undefined when it does. */
export function streamsGroupsFault(cluster: Cluster): Promise<string | undefined> {
  return retrying(cluster.env, { what: "asking for the cluster's features" }, async () => {
    const { versions } = await cluster.any()
    if (!versions.supports(StreamsGroupHeartbeat))
      return "its brokers do not know streams groups, which came with Kafka 4.2"
    return versions.feature(STREAMS_VERSION) > 0 ? undefined : `its feature ${STREAMS_VERSION} is off`
  })
}

/** Undefined when there is no streams group of that id. */
export function describeStreamsGroup(cluster: Cluster, groupId: string): Promise<StreamsGroupDescription | undefined> {
  const what = `describing streams group ${groupId}`
  return retrying(cluster.env, { what }, async () => {
    try {
      const connection = await cluster.coordinator(CoordinatorType.group, groupId)
      // A cluster that serves none has none.
      if (!connection.versions.supports(StreamsGroupDescribe)) return undefined
      const answer = await connection.request(StreamsGroupDescribe, {
        groupIds: [groupId],
        includeAuthorizedOperations: false,
      })
      const group = answer.groups[0]!
      if (NONE_OF_THAT_ID.has(group.errorCode)) return undefined
      if (group.errorCode !== ErrorCode.NONE) throw kafkaError(group.errorCode, what, group.errorMessage)
      return {
        groupId,
        state: group.groupState,
        groupEpoch: group.groupEpoch,
        assignmentEpoch: group.assignmentEpoch,
        members: group.members.map((member) => ({
          memberId: member.memberId,
          memberEpoch: member.memberEpoch,
          groupInstanceId: member.instanceId,
          clientId: member.clientId,
          host: member.clientHost,
          processId: member.processId,
          endpoint: member.userEndpoint,
          tasks: tasksOf(member.assignment) ?? NO_TASKS,
          target: tasksOf(member.targetAssignment) ?? NO_TASKS,
        })),
      }
    } catch (error) {
      cluster.coordinatorFault(CoordinatorType.group, groupId, error)
      throw error
    }
  })
}
