/** The requests of scenes, with defaults, and what scenes begin with. */
import type { Encodable } from "@millrace/protocol"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DescribeGroups } from "@millrace/protocol/messages/describe-groups"
import { Heartbeat } from "@millrace/protocol/messages/heartbeat"
import { JoinGroup, type JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { SyncGroup } from "@millrace/protocol/messages/sync-group"
import { bytes, group, topic } from "./oracle.ts"
import type { Side } from "./side.ts"

export type JoinOptions = Partial<Encodable<typeof JoinGroup.request>>

export function join(side: Side, groupId: string, options: JoinOptions = {}, version = 9): Promise<JoinGroupResponse> {
  return side.ask(JoinGroup, version, {
    groupId,
    sessionTimeoutMs: 60_000,
    rebalanceTimeoutMs: 60_000,
    memberId: "",
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: bytes("m") }],
    ...options,
  })
}

export interface Member {
  readonly memberId: string
  readonly generationId: number
  readonly groupInstanceId: string | null
}

export function sync(
  side: Side,
  groupId: string,
  member: Member,
  assignments: Record<string, string> = {},
  version = 5,
) {
  const named = version >= 5 ? { protocolType: "consumer", protocolName: "range" } : {}
  return side.ask(SyncGroup, version, {
    groupId,
    ...member,
    ...named,
    assignments: Object.entries(assignments).map(([memberId, part]) => ({ memberId, assignment: bytes(part) })),
  })
}

export const beat = (side: Side, groupId: string, { memberId, generationId, groupInstanceId }: Member) =>
  side.ask(Heartbeat, 4, { groupId, memberId, generationId, groupInstanceId })

/** Waits until the group is in a rebalance, as one of its members hears. */
export async function rebalancing(side: Side, groupId: string, member: Member): Promise<void> {
  const { memberId, generationId, groupInstanceId } = member
  for (;;) {
    const { errorCode } = await side.askSilently(Heartbeat, 4, { groupId, memberId, generationId, groupInstanceId })
    if (errorCode !== 0) return
  }
}

/** A group of one, settled in its first generation. */
export async function alone(side: Side, groupId: string, groupInstanceId: string | null = null): Promise<Member> {
  await side.coordinator(groupId, 0)
  const given = groupInstanceId === null ? (await join(side, groupId)).memberId : ""
  const { memberId, generationId } = await join(side, groupId, { memberId: given, groupInstanceId })
  const member = { memberId, generationId, groupInstanceId }
  await sync(side, groupId, member, { [memberId]: "all" })
  return member
}

/** A second member comes: both are in the next generation, the first leading, both parts assigned. */
export async function joinedBy(
  side: Side,
  groupId: string,
  first: Member,
  instance: string | null = null,
): Promise<Member[]> {
  const given = instance === null ? (await join(side, groupId)).memberId : ""
  const coming = join(side, groupId, { memberId: given, groupInstanceId: instance })
  await rebalancing(side, groupId, first)
  const { groupInstanceId } = first
  const [one, two] = await Promise.all([join(side, groupId, { memberId: first.memberId, groupInstanceId }), coming])
  const members = [
    { memberId: one.memberId, generationId: one.generationId, groupInstanceId },
    { memberId: two.memberId, generationId: two.generationId, groupInstanceId: instance },
  ] as const
  await sync(side, groupId, members[0], { [one.memberId]: "one", [two.memberId]: "two" })
  await sync(side, groupId, members[1])
  return [...members]
}

export const describeGroup = (side: Side, groupId: string, version = 6) =>
  side.ask(DescribeGroups, version, { groups: [groupId], includeAuthorizedOperations: false })

export const offsetTopics = (
  ...partitions: { index: number; offset: number; metadata?: string | null; epoch?: number }[]
) => [
  {
    name: topic,
    partitions: partitions.map(({ index, offset, metadata = "", epoch = -1 }) => ({
      partitionIndex: index,
      committedOffset: offset,
      committedLeaderEpoch: epoch,
      committedMetadata: metadata,
    })),
  },
]

export const fetchOffsets = (
  side: Side,
  groupId: string,
  options: { requireStable?: boolean; version?: number } = {},
) => {
  const { requireStable = false, version = 9 } = options
  const partitionIndexes = [0, 1, 2]
  const topics = [{ name: topic, partitionIndexes }]
  return version >= 8
    ? side.ask(OffsetFetch, version, { groups: [{ groupId, topics }], requireStable } as never)
    : side.ask(OffsetFetch, version, { groupId, topics, requireStable } as never)
}

export async function newTopic(side: Side): Promise<void> {
  await side.coordinator(group("probe"), 0)
  await side.askSilently(CreateTopics, 5, {
    topics: [{ name: topic, numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
  })
  for (;;) {
    const answer = await side.askSilently(OffsetCommit, 8, {
      groupId: group("probe"),
      memberId: "",
      topics: offsetTopics({ index: 0, offset: 0 }),
    })
    if (answer.topics[0]?.partitions[0]?.errorCode === 0) return
  }
}
