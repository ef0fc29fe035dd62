/**
 * Groups: list, describe, delete, and their committed offsets.
 */
import { ErrorCode } from "@millrace/protocol"
import { DeleteGroups } from "@millrace/protocol/messages/delete-groups"
import { DescribeGroups } from "@millrace/protocol/messages/describe-groups"
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { type Cluster, CoordinatorType } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import { type CommittedOffset, commitOffsets, fetchCommitted } from "../consumer/committed.ts"
import type { TopicPartition } from "../group/assignor.ts"
import { decodeAssignment, PROTOCOL_TYPE } from "../group/protocol.ts"
import { type Attempts, retrying } from "../network/retry.ts"
import type { TopicPartitionOffset } from "../producer/transactions.ts"
import { describeConsumerGroup } from "./consumer-groups.ts"

export interface ListedGroup {
  readonly groupId: string
  /** Who its members are: "consumer", "connect", "streams"; "" when it never had any. */
  readonly protocolType: string
  /** "" from brokers that do not say. */
  readonly state: string
  /** By which protocol they are members: "classic", "consumer" (KIP-848), "streams" (KIP-1071); "" from brokers that do not say. */
  readonly type: string
}

export interface GroupDescription {
  readonly groupId: string
  readonly state: string
  /** Who assigns: the members among themselves, or the broker (KIP-848). */
  readonly type: "classic" | "consumer"
  readonly protocolType: string
  /** The strategy that the group chose, or its broker's assignor. */
  readonly protocol: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly host: string
    /** Empty, as `assignment` is, where the broker assigns. */
    readonly metadata: Uint8Array
    readonly assignment: Uint8Array
    /** Decoded for consumer groups, else empty. */
    readonly partitions: readonly TopicPartition[]
  }[]
}

/** Every broker knows the groups that it coordinates. */
export function listGroups(
  cluster: Cluster,
  options: { readonly states?: readonly string[]; readonly types?: readonly string[] } = {},
): Promise<ListedGroup[]> {
  return retrying(cluster.env, { what: "listing groups" }, async () => {
    await cluster.refresh()
    const answers = await Promise.all(
      [...cluster.metadata.nodes()].map(async ({ id }) => {
        const connection = await cluster.node(id)
        const { errorCode, groups } = await connection.request(ListGroups, (version) => ({
          ...(version >= 4 ? { statesFilter: [...(options.states ?? [])] } : {}),
          ...(version >= 5 ? { typesFilter: [...(options.types ?? [])] } : {}),
        }))
        if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, "listing groups")
        return groups
      }),
    )
    return answers.flat().map((group) => ({
      groupId: group.groupId,
      protocolType: group.protocolType,
      state: group.groupState,
      type: group.groupType,
    }))
  })
}

/** Groups in the order asked. One that nobody knows is in state "Dead". */
export function describeGroups(cluster: Cluster, groupIds: readonly string[]): Promise<GroupDescription[]> {
  return Promise.all(groupIds.map((groupId) => describeGroup(cluster, groupId)))
}

function describeGroup(cluster: Cluster, groupId: string): Promise<GroupDescription> {
  const what = `describing group ${groupId}`
  return atCoordinator(cluster, groupId, what, async () => {
    const connection = await cluster.coordinator(CoordinatorType.group, groupId)
    const answer = await connection.request(DescribeGroups, { groups: [groupId] })
    const group = answer.groups[0]!
    const unknown = group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND
    if (unknown || group.groupState === "Dead") {
      const found = await describeConsumerGroup(connection, groupId)
      if (found !== undefined) return found
    }
    if (!unknown && group.errorCode !== ErrorCode.NONE) throw kafkaError(group.errorCode, what, group.errorMessage)
    return {
      groupId,
      state: unknown ? "Dead" : group.groupState,
      type: "classic",
      protocolType: group.protocolType,
      protocol: group.protocolData,
      members: group.members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        host: member.clientHost,
        metadata: member.memberMetadata,
        assignment: member.memberAssignment,
        partitions: group.protocolType === PROTOCOL_TYPE ? decodeAssignment(member.memberAssignment).partitions : [],
      })),
    }
  })
}

/** Deletes groups without members, with their offsets. */
export async function deleteGroups(cluster: Cluster, groupIds: readonly string[]): Promise<void> {
  for (const groupId of groupIds) {
    const what = `deleting group ${groupId}`
    await atCoordinator(cluster, groupId, what, async (attempts) => {
      const connection = await cluster.coordinator(CoordinatorType.group, groupId)
      const answer = await attempts.sent(connection.request(DeleteGroups, { groupsNames: [groupId] }))
      const result = answer.results[0]!
      if (attempts.mayBeDone && result.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return
      if (result.errorCode !== ErrorCode.NONE) throw kafkaError(result.errorCode, what, result.errorMessage)
    })
  }
}

/** Offsets of these partitions, or of all that the group has committed. */
export function listGroupOffsets(
  cluster: Cluster,
  groupId: string,
  options: { readonly partitions?: readonly TopicPartition[]; readonly requireStable?: boolean } = {},
): Promise<CommittedOffset[]> {
  return fetchCommitted(cluster, groupId, options.partitions ?? null, { requireStable: options.requireStable ?? false })
}

/** Sets offsets of a group without members. */
export function alterGroupOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly TopicPartitionOffset[],
): Promise<void> {
  const nobody = { groupId, generationId: -1, memberId: "", groupInstanceId: null }
  return commitOffsets(cluster, nobody, offsets)
}

function atCoordinator<T>(
  cluster: Cluster,
  groupId: string,
  what: string,
  attempt: (attempts: Attempts) => Promise<T>,
): Promise<T> {
  return retrying(cluster.env, { what }, async (attempts) => {
    try {
      return await attempt(attempts)
    } catch (error) {
      cluster.coordinatorFault(CoordinatorType.group, groupId, error)
      throw error
    }
  })
}
