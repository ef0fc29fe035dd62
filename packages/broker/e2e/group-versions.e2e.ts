/** Every version of the APIs of groups, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import type { Api } from "@millrace/protocol"
import { ConsumerGroupDescribe } from "@millrace/protocol/messages/consumer-group-describe"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { DeleteGroups } from "@millrace/protocol/messages/delete-groups"
import { DescribeGroups } from "@millrace/protocol/messages/describe-groups"
import { Heartbeat } from "@millrace/protocol/messages/heartbeat"
import { JoinGroup } from "@millrace/protocol/messages/join-group"
import { LeaveGroup } from "@millrace/protocol/messages/leave-group"
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetDelete } from "@millrace/protocol/messages/offset-delete"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { StreamsGroupDescribe } from "@millrace/protocol/messages/streams-group-describe"
import { SyncGroup } from "@millrace/protocol/messages/sync-group"
import { create, versionsOf } from "./broker-topics.ts"
import { bytes, compare, group, oracle } from "./oracle.ts"
import { alone, describeGroup } from "./requests.ts"

oracle()

const ZERO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
const UNKNOWN_ID = "AbAAAAAAQACAAAAAAAAAAA"
/** Names of groups that are none, or strange. */
const STRANGE = ["", group("ä b"), group("x".repeat(1000))]

/** Fields that a version has; what it has not is left out. */
function inVersion(api: Api, version: number, fields: Record<string, unknown>): never {
  const has = (versions: string) => {
    const [, min, plus, max] = /^(\d+)(\+)?(?:-(\d+))?$/.exec(versions) ?? []
    return version >= Number(min) && (plus !== undefined || version <= Number(max ?? min))
  }
  return Object.fromEntries(
    Object.entries(fields).filter(([name]) => has(api.request.fields[name]?.versions ?? "99")),
  ) as never
}

compare("73, 74, 76, 78: all versions of joining, syncing, beating and leaving", async (side) => {
  for (const version of versionsOf(JoinGroup)) {
    const groupId = group(`join-v${version}`)
    await side.coordinator(groupId, 0)
    const join = (fields: object = {}, apiVersion = version) =>
      side.tell(
        JoinGroup,
        apiVersion,
        inVersion(JoinGroup as Api, apiVersion, {
          ...{ groupId, sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000, memberId: "", groupInstanceId: null },
          ...{
            protocolType: "consumer",
            protocols: [{ name: "range", metadata: bytes("m") }],
            reason: "why",
            ...fields,
          },
        }),
      )
    const first = (await join())!
    const { memberId, generationId } = first.errorCode === 79 ? (await join({ memberId: first.memberId }))! : first
    for (const syncVersion of versionsOf(SyncGroup)) {
      const sync = (fields: object) =>
        side.tell(
          SyncGroup,
          syncVersion,
          inVersion(SyncGroup as Api, syncVersion, {
            ...{
              groupId,
              generationId,
              memberId,
              groupInstanceId: null,
              protocolType: "consumer",
              protocolName: "range",
            },
            assignments: [{ memberId, assignment: bytes("all") }],
            ...fields,
          }),
        )
      await sync({ generationId: generationId + 1 })
      await sync({ memberId: "stranger" })
      await sync({ memberId: "" })
      await sync({ groupId: group("absent") })
      if (syncVersion >= 3) await sync({ groupInstanceId: "unknown" })
      await sync({})
      await sync({ assignments: [] })
    }
    for (const beatVersion of versionsOf(Heartbeat)) {
      const beat = (fields: object) =>
        side.tell(
          Heartbeat,
          beatVersion,
          inVersion(Heartbeat as Api, beatVersion, {
            groupId,
            generationId,
            memberId,
            groupInstanceId: null,
            ...fields,
          }),
        )
      await beat({})
      for (const generation of [generationId + 1, generationId - 1, -1]) await beat({ generationId: generation })
      for (const member of ["stranger", ""]) await beat({ memberId: member })
      for (const name of [group("absent"), ...STRANGE]) await beat({ groupId: name })
      if (beatVersion >= 3) await beat({ groupInstanceId: "unknown" })
    }
    await join({ memberId })
    await join({ groupId: "" })
    const odd = (fields: object) =>
      join({ groupId: group(`odd-${version}-${Object.values(fields).join()}`), ...fields })
    for (const sessionTimeoutMs of [0, -1, 499, 1_800_001]) await odd({ sessionTimeoutMs })
    await odd({ protocols: [] })
    await odd({ protocolType: "" })
    if (version >= 5) for (const groupInstanceId of ["", ".", "a/b", "x".repeat(250)]) await odd({ groupInstanceId })
    const leaveVersion = Math.min(version, 5)
    const leave = (member: string, instance: string | null = null) =>
      side.tell(
        LeaveGroup,
        leaveVersion,
        (leaveVersion >= 3
          ? { groupId, members: [{ memberId: member, groupInstanceId: instance }] }
          : { groupId, memberId: member }) as never,
      )
    await leave("stranger")
    await leave(memberId)
    await leave(memberId)
    await leave("")
    if (leaveVersion >= 3) await side.tell(LeaveGroup, leaveVersion, { groupId, members: [] })
    await describeGroup(side, groupId)
  }
})

compare("86: all versions of DescribeGroups, ListGroups and DeleteGroups", async (side) => {
  const member = group("described-one")
  await alone(side, member)
  for (const version of versionsOf(DescribeGroups)) {
    for (const groups of [[member], [group("absent")], [member, member], [], STRANGE]) {
      await side.tell(DescribeGroups, version, { groups } as never)
    }
    if (version >= 3)
      await side.tell(DescribeGroups, version, { groups: [member, group("absent")], includeAuthorizedOperations: true })
  }
  for (const version of versionsOf(ListGroups)) {
    const list = async (filters: Record<string, unknown>) => {
      const answer = await side.askSilently(ListGroups, version, inVersion(ListGroups as Api, version, filters))
      side.note("listed", [
        version,
        filters,
        answer.errorCode,
        answer.groups.filter(({ groupId }) => groupId === member),
      ])
    }
    await list({ statesFilter: [], typesFilter: [] })
    if (version >= 4)
      for (const state of ["Stable", "stable", "Dead", "nonsense", ""])
        await list({ statesFilter: [state], typesFilter: [] })
    if (version >= 5)
      for (const type of ["classic", "Classic", "consumer", "share", "streams", "nonsense", ""])
        await list({ statesFilter: [], typesFilter: [type] })
  }
  for (const version of versionsOf(DeleteGroups)) {
    const remove = (...groupsNames: string[]) => side.tell(DeleteGroups, version, { groupsNames })
    await remove()
    await remove(member)
    await remove(group("absent"))
    await remove(group("absent"), group("absent"))
    for (const name of STRANGE) await remove(name)
    const empty = group(`delete-v${version}`)
    await side.ask(OffsetCommit, 8, { groupId: empty, memberId: "", topics: [] })
    await remove(empty)
  }
})

interface Named {
  readonly name: string
  readonly id: string
}

/** Offsets by name or, in later versions, by id. */
const offsets = (version: number, { name, id }: Named, partitions: object[]) => [
  { ...(version >= 10 ? { topicId: id } : { name }), partitions },
]

compare("79, 80, 81: all versions of OffsetCommit and OffsetFetch", async (side) => {
  const name = group("offsets-topic")
  const here: Named = { name, id: await create(side, name, 3) }
  const absent: Named = { name: group("absent-topic"), id: UNKNOWN_ID }
  for (const version of versionsOf(OffsetCommit)) {
    const groupId = group(`commit-v${version}`)
    await side.coordinator(groupId, 0)
    const commit = (topics: object[], fields: object = {}) =>
      side.tell(
        OffsetCommit,
        version,
        inVersion(OffsetCommit as Api, version, {
          ...{
            groupId,
            generationIdOrMemberEpoch: -1,
            memberId: "",
            groupInstanceId: null,
            retentionTimeMs: -1,
            topics,
            ...fields,
          },
        }),
      )
    const at = (partitionIndex: number, committedOffset: number, more: object = {}) => ({
      ...{ partitionIndex, committedOffset, committedMetadata: "m", ...more },
      ...(version >= 6 ? { committedLeaderEpoch: 0 } : {}),
    })
    for (const groupName of STRANGE) await commit(offsets(version, here, [at(0, 1)]), { groupId: groupName })
    await commit(offsets(version, here, [at(0, 5), at(1, 6, { committedMetadata: null })]))
    await commit(offsets(version, here, [at(2, 7, { committedMetadata: "" }), at(3, 8), at(-1, 9)]))
    await commit(offsets(version, here, [at(2, -1), at(1, -2)]))
    await commit(offsets(version, absent, [at(0, 5)]))
    await commit([...offsets(version, here, [at(0, 11)]), ...offsets(version, absent, [at(0, 5)])])
    if (version >= 10) await commit(offsets(version, { name, id: ZERO_ID }, [at(0, 5)]))
    else for (const bad of ["", "a b"]) await commit(offsets(version, { name: bad, id: ZERO_ID }, [at(0, 5)]))
    await commit(offsets(version, here, [at(0, 12), at(0, 13)]))
    await commit([])
    await commit(offsets(version, here, []))
    await commit(offsets(version, here, [at(0, 14)]), { memberId: "m" })
    await commit(offsets(version, here, [at(0, 14)]), { generationIdOrMemberEpoch: 5 })
    await commit(offsets(version, here, [at(0, 14)]), { memberId: "m", generationIdOrMemberEpoch: 5 })
    await commit(offsets(version, here, [at(0, 15, { committedMetadata: "x".repeat(5000) }), at(1, 16)]))
    for (const fetchVersion of versionsOf(OffsetFetch)) {
      const named = fetchVersion >= 10 ? { topicId: here.id } : { name }
      const nowhere = fetchVersion >= 10 ? { topicId: UNKNOWN_ID } : { name: absent.name }
      const fetch = (topics: object[] | null, from = groupId, fields: object = {}) =>
        side.tell(
          OffsetFetch,
          fetchVersion,
          (fetchVersion >= 8
            ? { groups: [{ groupId: from, topics, ...fields }], requireStable: false }
            : { groupId: from, topics }) as never,
        )
      await fetch([{ ...named, partitionIndexes: [0, 1, 2, 3, -1] }])
      await fetch([{ ...nowhere, partitionIndexes: [0] }])
      await fetch([{ ...named, partitionIndexes: [] }])
      await fetch([])
      if (fetchVersion >= 2) await fetch(null)
      for (const strange of [group("absent"), ...STRANGE]) await fetch([{ ...named, partitionIndexes: [0] }], strange)
      if (fetchVersion < 8) continue
      await side.tell(OffsetFetch, fetchVersion, { groups: [], requireStable: false } as never)
      await side.tell(OffsetFetch, fetchVersion, {
        groups: [
          { groupId, topics: [] },
          { groupId, topics: null },
        ],
        requireStable: false,
      } as never)
      if (fetchVersion < 9) continue
      await fetch(null, groupId, { memberId: "m", memberEpoch: 5 })
      await fetch(null, groupId, { memberId: null, memberEpoch: -1 })
      await fetch(null, groupId, { memberId: null, memberEpoch: 3 })
    }
  }
})

compare("85: groups with strange names go, too", async (side) => {
  await side.tell(DeleteGroups, 2, { groupsNames: STRANGE })
})

compare("85: OffsetDelete", async (side) => {
  const name = group("offsets-deleted")
  await create(side, name, 2)
  const groupId = group("offset-delete")
  await side.coordinator(groupId, 0)
  const remove = (topics: object[], from = groupId) => side.tell(OffsetDelete, 0, { groupId: from, topics } as never)
  const part = (...indexes: number[]) => indexes.map((partitionIndex) => ({ partitionIndex }))
  await remove([{ name, partitions: part(0) }])
  await side.ask(OffsetCommit, 8, {
    ...{ groupId, memberId: "" },
    topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: "" }] }],
  })
  await remove([{ name, partitions: part(0, 1, 7) }])
  await remove([{ name: group("absent"), partitions: part(0) }])
  await remove([{ name: "a b", partitions: part(0) }])
  await remove([])
  await remove([{ name, partitions: [] }])
  for (const from of [group("absent"), ...STRANGE]) await remove([{ name, partitions: part(0) }], from)
})

compare("88, 89: heartbeats of the consumer protocol that are refused", async (side) => {
  for (const version of versionsOf(ConsumerGroupHeartbeat)) {
    const groupId = group(`consumer-v${version}`)
    await side.coordinator(groupId, 0)
    const beat = (fields: object) =>
      side.tell(ConsumerGroupHeartbeat, version, {
        ...{ groupId, memberId: "m", memberEpoch: 0, rebalanceTimeoutMs: 60_000, subscribedTopicNames: ["nowhere"] },
        ...{ topicPartitions: [], ...fields },
      } as never)
    for (const name of ["", " "]) await beat({ groupId: name })
    await beat({ memberId: "" })
    for (const memberEpoch of [-3, 5, -1, -2]) await beat({ memberEpoch })
    for (const rebalanceTimeoutMs of [-1, 0, -2]) await beat({ rebalanceTimeoutMs })
    await beat({ topicPartitions: null })
    await beat({ topicPartitions: [{ topicId: UNKNOWN_ID, partitions: [0] }] })
    await beat({ subscribedTopicNames: null })
    await beat({ subscribedTopicNames: [], serverAssignor: "uniform" })
    await beat({ serverAssignor: "nonsense" })
    await beat({ serverAssignor: "" })
    await beat({ instanceId: "" })
    await beat({ rackId: "" })
    if (version >= 1) await beat({ subscribedTopicRegex: "", subscribedTopicNames: null })
    await beat({ memberEpoch: -1 })
  }
})

compare("96: descriptions of groups of other kinds", async (side) => {
  const classic = group("classic-described")
  await alone(side, classic)
  for (const api of [ConsumerGroupDescribe, StreamsGroupDescribe] as unknown as Api[]) {
    for (const version of versionsOf(api)) {
      for (const groupIds of [[], [classic], [group("absent")], [classic, classic], STRANGE]) {
        await side.tell(api, version, { groupIds, includeAuthorizedOperations: false })
        await side.tell(api, version, { groupIds, includeAuthorizedOperations: true })
      }
    }
  }
})
