/**
 * The records of streams groups in `__consumer_offsets`, in Kafka's formats (key types 17, 19 to 23).
 *
 * Type 18, the partitions of a group's topics, is no more: Kafka writes a hash into the group's record.
 */
import { ProtocolError } from "@millrace/protocol"
import {
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from "@millrace/protocol/records/coordinator-record"
import {
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
  StreamsGroupMetadataKey,
  StreamsGroupMetadataValue,
  StreamsGroupTopologyKey,
  StreamsGroupTopologyValue,
} from "@millrace/protocol/records/streams-group"
import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
} from "@millrace/protocol/records/streams-group-assignment"
import type { RawRecord } from "../../coordinator/shard.ts"
import type { Partitions } from "../consumer/partitions.ts"
import type { StreamsGroupMetadata } from "./group.ts"
import { type StreamsCurrent, type StreamsMemberMetadata, streamsMemberStates } from "./member.ts"
import { taskIds, taskKey, taskLists, type Tasks, tasksOf } from "./tasks.ts"
import type { Topology } from "./topology.ts"

interface OfMember<Type extends string, Value> {
  readonly type: Type
  readonly group: string
  readonly memberId: string
  readonly value: Value | null
}

interface OfGroup<Type extends string, Value> {
  readonly type: Type
  readonly group: string
  readonly value: Value | null
}

export type StreamsGroupRecord =
  | OfGroup<"streams-group", StreamsGroupMetadata>
  | OfGroup<"streams-topology", Topology>
  | OfGroup<"streams-assignment", { readonly epoch: number; readonly timestamp: number }>
  | OfMember<"streams-member", StreamsMemberMetadata>
  | OfMember<"streams-target", Tasks>
  | OfMember<"streams-current", StreamsCurrent>

const version = 0
/** State 0 does not exist, and 127 is one that a coordinator does not know. */
const firstState = 1

export function encodeStreamsGroupRecord(record: StreamsGroupRecord): RawRecord {
  const { group: groupId } = record
  switch (record.type) {
    case "streams-group":
      return {
        key: encodeCoordinatorKey(StreamsGroupMetadataKey, { groupId }),
        value:
          record.value &&
          encodeCoordinatorValue(StreamsGroupMetadataValue, version, {
            epoch: record.value.groupEpoch,
            metadataHash: record.value.metadataHash,
            validatedTopologyEpoch: record.value.validatedTopologyEpoch,
            lastAssignmentConfigs: [...record.value.assignmentConfigs],
          }),
      }
    case "streams-topology":
      return {
        key: encodeCoordinatorKey(StreamsGroupTopologyKey, { groupId }),
        value: record.value && encodeCoordinatorValue(StreamsGroupTopologyValue, version, record.value),
      }
    case "streams-assignment":
      return {
        key: encodeCoordinatorKey(StreamsGroupTargetAssignmentMetadataKey, { groupId }),
        value:
          record.value &&
          encodeCoordinatorValue(StreamsGroupTargetAssignmentMetadataValue, version, {
            assignmentEpoch: record.value.epoch,
            assignmentTimestamp: record.value.timestamp,
          }),
      }
    case "streams-member":
      return {
        key: encodeCoordinatorKey(StreamsGroupMemberMetadataKey, { groupId, memberId: record.memberId }),
        value: record.value && encodeMember(record.value),
      }
    case "streams-target":
      return {
        key: encodeCoordinatorKey(StreamsGroupTargetAssignmentMemberKey, { groupId, memberId: record.memberId }),
        value:
          record.value &&
          encodeCoordinatorValue(StreamsGroupTargetAssignmentMemberValue, version, taskLists(record.value)),
      }
    case "streams-current":
      return {
        key: encodeCoordinatorKey(StreamsGroupCurrentMemberAssignmentKey, { groupId, memberId: record.memberId }),
        value: record.value && encodeCurrent(record.value),
      }
  }
}

function encodeMember(member: StreamsMemberMetadata): Uint8Array {
  const { instanceId, rackId, clientId, clientHost, rebalanceTimeoutMs, topologyEpoch, processId, userEndpoint } =
    member
  return encodeCoordinatorValue(StreamsGroupMemberMetadataValue, version, {
    instanceId,
    rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    topologyEpoch,
    processId,
    userEndpoint: userEndpoint && { host: userEndpoint.host, port: userEndpoint.port },
    clientTags: [...member.clientTags],
  })
}

function encodeCurrent({
  memberEpoch,
  previousMemberEpoch,
  state,
  assigned,
  pendingRevocation,
  assignmentEpochs,
}: StreamsCurrent): Uint8Array {
  const active = (tasks: Partitions) =>
    taskIds(tasks).map(({ subtopologyId, partitions }) => ({
      subtopologyId,
      partitions,
      assignmentEpochs: partitions.map(
        (partition) => assignmentEpochs.get(taskKey(subtopologyId, partition)) ?? memberEpoch,
      ),
    }))
  const passive = (tasks: Partitions) => taskIds(tasks).map((ids) => ({ ...ids, assignmentEpochs: null }))
  return encodeCoordinatorValue(StreamsGroupCurrentMemberAssignmentValue, version, {
    memberEpoch,
    previousMemberEpoch,
    state: streamsMemberStates.indexOf(state) + firstState,
    activeTasks: active(assigned.active),
    standbyTasks: passive(assigned.standby),
    warmupTasks: passive(assigned.warmup),
    activeTasksPendingRevocation: active(pendingRevocation.active),
    standbyTasksPendingRevocation: passive(pendingRevocation.standby),
    warmupTasksPendingRevocation: passive(pendingRevocation.warmup),
  })
}

/** Undefined for other types of keys. */
export function decodeStreamsGroupRecord(type: number, { key, value }: RawRecord): StreamsGroupRecord | undefined {
  switch (type) {
    case StreamsGroupMetadataKey.key: {
      const { groupId } = decodeCoordinatorKey(StreamsGroupMetadataKey, key)
      const decoded = value && decodeCoordinatorValue(StreamsGroupMetadataValue, value)
      return {
        type: "streams-group",
        group: groupId,
        value: decoded && {
          groupEpoch: decoded.epoch,
          metadataHash: decoded.metadataHash,
          validatedTopologyEpoch: decoded.validatedTopologyEpoch,
          assignmentConfigs: decoded.lastAssignmentConfigs ?? [],
        },
      }
    }
    case StreamsGroupTopologyKey.key: {
      const { groupId } = decodeCoordinatorKey(StreamsGroupTopologyKey, key)
      return {
        type: "streams-topology",
        group: groupId,
        value: value && decodeCoordinatorValue(StreamsGroupTopologyValue, value),
      }
    }
    case StreamsGroupTargetAssignmentMetadataKey.key: {
      const { groupId } = decodeCoordinatorKey(StreamsGroupTargetAssignmentMetadataKey, key)
      const decoded = value && decodeCoordinatorValue(StreamsGroupTargetAssignmentMetadataValue, value)
      return {
        type: "streams-assignment",
        group: groupId,
        value: decoded && { epoch: decoded.assignmentEpoch, timestamp: decoded.assignmentTimestamp },
      }
    }
    case StreamsGroupMemberMetadataKey.key: {
      const { groupId, memberId } = decodeCoordinatorKey(StreamsGroupMemberMetadataKey, key)
      return {
        type: "streams-member",
        group: groupId,
        memberId,
        value: value && decodeCoordinatorValue(StreamsGroupMemberMetadataValue, value),
      }
    }
    case StreamsGroupTargetAssignmentMemberKey.key: {
      const { groupId, memberId } = decodeCoordinatorKey(StreamsGroupTargetAssignmentMemberKey, key)
      const decoded = value && decodeCoordinatorValue(StreamsGroupTargetAssignmentMemberValue, value)
      return { type: "streams-target", group: groupId, memberId, value: decoded && decodedTasks(decoded) }
    }
    case StreamsGroupCurrentMemberAssignmentKey.key: {
      const { groupId, memberId } = decodeCoordinatorKey(StreamsGroupCurrentMemberAssignmentKey, key)
      return { type: "streams-current", group: groupId, memberId, value: value && decodeCurrent(value) }
    }
    default:
      return undefined
  }
}

type TaskLists = Pick<StreamsGroupTargetAssignmentMemberValue, "activeTasks" | "standbyTasks" | "warmupTasks">

const decodedTasks = ({ activeTasks, standbyTasks, warmupTasks }: TaskLists): Tasks => ({
  active: tasksOf(activeTasks),
  standby: tasksOf(standbyTasks),
  warmup: tasksOf(warmupTasks),
})

function decodeCurrent(value: Uint8Array): StreamsCurrent {
  const decoded = decodeCoordinatorValue(StreamsGroupCurrentMemberAssignmentValue, value)
  const { memberEpoch, previousMemberEpoch } = decoded
  const state = streamsMemberStates[decoded.state - firstState]
  if (state === undefined) {
    const { name } = StreamsGroupCurrentMemberAssignmentValue
    throw new ProtocolError(name, version, "state", 0, `there is no state ${decoded.state}`)
  }
  const epochs = new Map<string, number>()
  for (const tasks of [...decoded.activeTasks, ...decoded.activeTasksPendingRevocation])
    tasks.partitions.forEach((partition, at) =>
      epochs.set(taskKey(tasks.subtopologyId, partition), tasks.assignmentEpochs?.[at] ?? memberEpoch),
    )
  return {
    memberEpoch,
    previousMemberEpoch,
    state,
    assigned: decodedTasks(decoded),
    pendingRevocation: {
      active: tasksOf(decoded.activeTasksPendingRevocation),
      standby: tasksOf(decoded.standbyTasksPendingRevocation),
      warmup: tasksOf(decoded.warmupTasksPendingRevocation),
    },
    assignmentEpochs: epochs,
  }
}
