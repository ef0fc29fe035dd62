/** StreamsGroupDescribe: what a streams group is, with its topology and what its members have and are to have. */
import { ErrorCode, errorMessage } from "@millrace/protocol"
import type { StreamsGroupDescribeResponse } from "@millrace/protocol/messages/streams-group-describe"
import type { GroupShardState } from "../group-state.ts"
import type { GroupOutcome } from "../requests.ts"
import type { StreamsGroup } from "./group.ts"
import { configuredTopology } from "./configured-topology.ts"
import type { StreamsDescribe } from "./requests.ts"
import { noTasks, taskLists } from "./tasks.ts"
import { describedTopology, type Topology } from "./topology.ts"

export type DescribedStreamsGroup = StreamsGroupDescribeResponse["groups"][number]

/** Says that the client did not ask for its authorized operations. */
const operationsOmitted = -2147483648
const assignorName = "sticky"

export function describeStreamsGroups(shard: GroupShardState, describe: StreamsDescribe, out: GroupOutcome): void {
  out.reply(
    describe.token,
    describe.groupIds.map((groupId) => {
      if (groupId === "") return describedStreamsError(groupId, ErrorCode.INVALID_GROUP_ID)
      const group = shard.streamsGroups.get(groupId)
      if (group !== undefined) return describeGroup(shard, group)
      const isOther = shard.groups.has(groupId) || shard.consumerGroups.has(groupId)
      const what = isOther ? `group ${groupId} is not a streams group` : `there is no group ${groupId}`
      return describedStreamsError(groupId, ErrorCode.GROUP_ID_NOT_FOUND, what)
    }),
  )
}

export function describedStreamsError(
  groupId: string,
  errorCode: ErrorCode,
  message: string | null = errorMessage(errorCode),
): DescribedStreamsGroup {
  return {
    errorCode,
    errorMessage: message,
    groupId,
    groupState: "",
    groupEpoch: 0,
    assignmentEpoch: 0,
    topology: null,
    members: [],
    authorizedOperations: operationsOmitted,
    topologyDescription: null,
    topologyDescriptionStatus: 0,
    assignorName: null,
  }
}

function describeGroup(shard: GroupShardState, group: StreamsGroup): DescribedStreamsGroup {
  return {
    ...describedStreamsError(group.groupId, ErrorCode.NONE, null),
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    topology: group.topology && describeTopology(shard, group, group.topology),
    assignorName,
    members: [...group.members.values()].map((member) => {
      const offsets = group.taskOffsets.get(member.memberId)
      return {
        memberId: member.memberId,
        memberEpoch: member.memberEpoch,
        instanceId: member.instanceId,
        rackId: member.rackId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        topologyEpoch: member.topologyEpoch,
        processId: member.processId,
        userEndpoint: member.userEndpoint,
        clientTags: [...member.clientTags],
        taskOffsets: [...(offsets?.taskOffsets ?? [])],
        taskEndOffsets: [...(offsets?.taskEndOffsets ?? [])],
        assignment: taskLists(member.assigned),
        targetAssignment: taskLists(group.targets.get(member.memberId) ?? noTasks),
        isClassic: false,
      }
    }),
  }
}

/** With the partitions that internal topics have, once they are all there. */
function describeTopology(shard: GroupShardState, group: StreamsGroup, topology: Topology) {
  const configured = configuredTopology(shard, group, topology)
  if ("errorCode" in configured || configured.status !== undefined) return describedTopology(topology)
  return describedTopology(topology, ({ name, partitions }) => configured.partitionCounts.get(name) ?? partitions)
}
