/**
 * DescribeGroups and ListGroups (row 86).
 *
 * An unknown group is described as Dead: without an error before v6, with GROUP_ID_NOT_FOUND from v6. The handler fills in
 * authorized operations.
 */
import { ErrorCode, errorMessage } from "@millrace/protocol"
import type { DescribeGroupsResponse } from "@millrace/protocol/messages/describe-groups"
import type { ClassicGroup } from "./classic-group.ts"
import type { GroupShardState } from "./group-state.ts"
import { metadataOf, noAssignment } from "./member.ts"
import { consumerProtocolType } from "./subscriptions.ts"
import type { DescribeRequest, GroupOutcome, ListRequest } from "./requests.ts"

export type DescribedGroup = DescribeGroupsResponse["groups"][number]

const groupNotFoundFrom = 6
/** Says that the client did not ask for its authorized operations. */
const operationsOmitted = -2147483648

export function describeGroups(shard: GroupShardState, describe: DescribeRequest, out: GroupOutcome): void {
  out.reply(
    describe.token,
    describe.groupIds.map((groupId) => {
      const group = shard.groups.get(groupId)
      return group === undefined ? describeUnknown(groupId, describe.context.apiVersion) : describeGroup(group)
    }),
  )
}

export function describedError(groupId: string, errorCode: ErrorCode): DescribedGroup {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: "",
    protocolType: "",
    protocolData: "",
    members: [],
    authorizedOperations: operationsOmitted,
  }
}

function describeUnknown(groupId: string, apiVersion: number): DescribedGroup {
  if (apiVersion < groupNotFoundFrom) return { ...describedError(groupId, ErrorCode.NONE), groupState: "Dead" }
  const errorCode = ErrorCode.GROUP_ID_NOT_FOUND
  return { ...describedError(groupId, errorCode), groupState: "Dead", errorMessage: errorMessage(errorCode) }
}

function describeGroup(group: ClassicGroup): DescribedGroup {
  // Metadata belongs to a chosen protocol, and assignments to a settled generation.
  const settled = group.state === "Stable"
  const protocol = settled ? (group.protocol ?? "") : ""
  return {
    ...describedError(group.groupId, ErrorCode.NONE),
    groupState: group.state,
    protocolType: group.protocolType ?? "",
    protocolData: protocol,
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: settled ? metadataOf(member, protocol) : noAssignment,
      memberAssignment: member.assignment,
    })),
  }
}

export function listGroups(shard: GroupShardState, list: ListRequest, out: GroupOutcome): void {
  const states = new Set(list.request.statesFilter.map((state) => state.toLowerCase()))
  const types = new Set(list.request.typesFilter.map((type) => type.toLowerCase()))
  const all = [
    ...[...shard.groups.values()].map(({ groupId, protocolType, state }) => ({
      groupId,
      protocolType: protocolType ?? "",
      groupState: state as string,
      groupType: "classic",
    })),
    ...[...shard.consumerGroups.values()].map(({ groupId, state }) => ({
      groupId,
      protocolType: consumerProtocolType,
      groupState: state as string,
      groupType: "consumer",
    })),
    ...[...shard.streamsGroups.values()].map(({ groupId, state }) => ({
      groupId,
      protocolType: "streams",
      groupState: state as string,
      groupType: "streams",
    })),
  ]
  const groups = all.filter(
    ({ groupState, groupType }) =>
      (states.size === 0 || states.has(groupState.toLowerCase())) && (types.size === 0 || types.has(groupType)),
  )
  out.reply(list.token, { error: ErrorCode.NONE, groups })
}
