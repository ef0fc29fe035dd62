/** Whether a heartbeat makes sense by itself, and beside the group's topology. */
import { ErrorCode } from "@millrace/protocol"
import type { StreamsGroupHeartbeatRequest } from "@millrace/protocol/messages/streams-group-heartbeat"
import { type Fault, JOIN_EPOCH, STATIC_LEAVE_EPOCH } from "../member-place.ts"
import type { ConfiguredTopology } from "./configured-topology.ts"
import { taskRoles, type Tasks, tasksOf } from "./tasks.ts"

export function requestFault(request: StreamsGroupHeartbeatRequest): Fault | undefined {
  const message = invalid(request)
  if (message !== undefined) return { errorCode: ErrorCode.INVALID_REQUEST, message }
  for (const { stateChangelogTopics } of request.topology?.subtopologies ?? []) {
    const counted = stateChangelogTopics.find(({ partitions }) => partitions !== 0)
    if (counted !== undefined)
      return {
        errorCode: ErrorCode.STREAMS_INVALID_TOPOLOGY,
        message: `changelog ${counted.name} gets its partitions from its tasks, and not ${counted.partitions}`,
      }
  }
  return undefined
}

function invalid(request: StreamsGroupHeartbeatRequest): string | undefined {
  const { memberEpoch, activeTasks, standbyTasks, warmupTasks, topology } = request
  const lists = [activeTasks, standbyTasks, warmupTasks]
  if (request.memberId.trim() === "") return "the member id is empty"
  if (request.groupId.trim() === "") return "the group id is empty"
  if (request.instanceId?.trim() === "") return "the instance id is empty"
  if (request.rackId?.trim() === "") return "the rack id is empty"
  if (memberEpoch < STATIC_LEAVE_EPOCH) return `there is no member epoch ${memberEpoch}`
  if (memberEpoch === STATIC_LEAVE_EPOCH && request.instanceId === null) return "a dynamic member leaves with epoch -1"
  if (memberEpoch === JOIN_EPOCH) {
    if (request.rebalanceTimeoutMs === -1) return "who joins gives its rebalance timeout"
    if (lists.some((tasks) => tasks !== null && tasks.length > 0)) return "who joins has no tasks"
    if (topology === null) return "who joins brings its topology"
  } else if (topology !== null) return "the topology comes with the first heartbeat alone"
  if (lists.some((tasks) => tasks === null) && lists.some((tasks) => tasks !== null))
    return "tasks of all three roles are reported, or of none"
  return undefined
}

/** What the member reports to have; null when it reports nothing. */
export function ownedTasks({ activeTasks, standbyTasks, warmupTasks }: StreamsGroupHeartbeatRequest): Tasks | null {
  if (activeTasks === null || standbyTasks === null || warmupTasks === null) return null
  return { active: tasksOf(activeTasks), standby: tasksOf(standbyTasks), warmup: tasksOf(warmupTasks) }
}

/** Tasks that the topology does not have. */
export function tasksFault({ taskCounts }: ConfiguredTopology, owned: Tasks | null): Fault | undefined {
  const errorCode = ErrorCode.INVALID_REQUEST
  for (const role of owned === null ? [] : taskRoles) {
    for (const [subtopologyId, partitions] of owned![role]) {
      const count = taskCounts.get(subtopologyId)
      if (count === undefined) return { errorCode, message: `the topology has no subtopology ${subtopologyId}` }
      const beyond = partitions.find((partition) => partition < 0 || partition >= count)
      if (beyond !== undefined)
        return { errorCode, message: `subtopology ${subtopologyId} has ${count} tasks, and none is number ${beyond}` }
    }
  }
  return undefined
}
