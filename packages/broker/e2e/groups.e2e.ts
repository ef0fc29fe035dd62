/** Groups and their offsets, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { DeleteGroups } from "@millrace/protocol/messages/delete-groups"
import { LeaveGroup } from "@millrace/protocol/messages/leave-group"
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { SyncGroup } from "@millrace/protocol/messages/sync-group"
import { bytes, compare, group, oracle } from "./oracle.ts"
import {
  alone,
  beat,
  describeGroup,
  fetchOffsets,
  join,
  joinedBy,
  newTopic,
  offsetTopics,
  rebalancing,
  sync,
} from "./requests.ts"

oracle()

compare("73, 76, 78, 86: a member comes, a second, both rejoin and leave", async (side) => {
  const groupId = group("life")
  await side.coordinator(groupId, 0)
  await describeGroup(side, groupId, 5)
  await describeGroup(side, groupId)
  const first = await alone(side, groupId)
  await describeGroup(side, groupId)
  await beat(side, groupId, first)
  const [one, two] = await joinedBy(side, groupId, first)
  await describeGroup(side, groupId)
  await beat(side, groupId, first)
  await beat(side, groupId, { ...one!, memberId: "stranger" })
  await beat(side, groupId, { ...one!, groupInstanceId: "unknown" })
  // An unchanged follower hears its generation again.
  await join(side, groupId, { memberId: two!.memberId })
  await sync(side, groupId, two!)
  await sync(side, groupId, { ...two!, generationId: 99 })
  await sync(side, groupId, { ...two!, memberId: "stranger" })
  await side.ask(SyncGroup, 5, { groupId, ...two!, protocolType: "connect", protocolName: "range", assignments: [] })
  await side.ask(SyncGroup, 5, { groupId, ...two!, protocolType: null, protocolName: null, assignments: [] })
  await side.ask(LeaveGroup, 5, {
    groupId,
    members: [{ memberId: two!.memberId }, { memberId: "stranger" }, { memberId: "", groupInstanceId: "nobody" }],
  })
  await rebalancing(side, groupId, one!)
  await beat(side, groupId, one!)
  await sync(side, groupId, one!)
  const again = await join(side, groupId, { memberId: one!.memberId })
  await describeGroup(side, groupId)
  const settled = { ...one!, generationId: again.generationId }
  await sync(side, groupId, settled, {})
  await side.ask(LeaveGroup, 2, { groupId, memberId: "stranger" })
  await side.ask(LeaveGroup, 2, { groupId, memberId: one!.memberId })
  await describeGroup(side, groupId)
  await beat(side, groupId, settled)
  await join(side, groupId, { memberId: one!.memberId })
  await side.ask(LeaveGroup, 5, { groupId, members: [{ memberId: one!.memberId }] })
  await side.ask(LeaveGroup, 5, { groupId: group("absent"), members: [{ memberId: "x" }] })
})

compare("73, 74, 84: joins that are refused", async (side) => {
  const groupId = group("refused")
  await side.coordinator(groupId, 0)
  await join(side, "", {})
  await join(side, groupId, { memberId: "stranger" })
  await join(side, groupId, { sessionTimeoutMs: 1 })
  await join(side, groupId, { sessionTimeoutMs: 2_000_000 })
  await join(side, groupId, { protocolType: "" })
  await join(side, groupId, { protocols: [] })
  await alone(side, groupId)
  for (const version of [3, 6, 9]) {
    await join(side, groupId, { protocolType: "connect" }, version)
    await join(side, groupId, { protocols: [{ name: "sticky", metadata: bytes("m") }] }, version)
  }
  await join(side, groupId, { memberId: "stranger", groupInstanceId: "i" })
})

compare("73, 74: old versions join at once", async (side) => {
  for (const version of [0, 1, 3]) {
    const groupId = group(`old-${version}`)
    await side.coordinator(groupId, 0)
    const { memberId, generationId } = await join(side, groupId, {}, version)
    await sync(side, groupId, { memberId, generationId, groupInstanceId: null }, { [memberId]: "all" }, 0)
    await describeGroup(side, groupId)
  }
})

compare("84: protocols are voted for", async (side) => {
  const groupId = group("vote")
  const protocols = (...names: string[]) => ({
    protocols: names.map((name) => ({ name, metadata: bytes(`for ${name}`) })),
  })
  await side.coordinator(groupId, 0)
  const { memberId } = await join(side, groupId, protocols("range", "sticky"))
  const first = await join(side, groupId, { memberId, ...protocols("range", "sticky") })
  const member = { memberId, generationId: first.generationId, groupInstanceId: null }
  await side.ask(SyncGroup, 3, { groupId, ...member, assignments: [] })
  const { memberId: other } = await join(side, groupId, protocols("sticky"))
  const coming = join(side, groupId, { memberId: other, ...protocols("sticky") })
  await rebalancing(side, groupId, member)
  await Promise.all([coming, join(side, groupId, { memberId, ...protocols("range", "sticky") })])
})

compare("82: static members come back", async (side) => {
  const groupId = group("static")
  const first = await alone(side, groupId, "a")
  const [a, b] = await joinedBy(side, groupId, first, "b")
  for (const version of [9, 8, 5]) {
    const back = await join(side, groupId, { groupInstanceId: "b" }, version)
    await sync(side, groupId, { ...b!, memberId: back.memberId, generationId: back.generationId })
  }
  await beat(side, groupId, b!)
  await sync(side, groupId, b!)
  await join(side, groupId, { memberId: b!.memberId, groupInstanceId: "b" })
  await side.ask(LeaveGroup, 4, { groupId, members: [{ memberId: b!.memberId, groupInstanceId: "b" }] })
  // Versions 8 and 9 tell a returning leader different things.
  for (const version of [9, 8]) await join(side, groupId, { groupInstanceId: "a" }, version)
  await beat(side, groupId, a!)
  await describeGroup(side, groupId)
  await side.ask(LeaveGroup, 4, {
    groupId,
    members: [
      { memberId: "", groupInstanceId: "a" },
      { memberId: "", groupInstanceId: "a" },
    ],
  })
})

compare("79, 80, 81: offsets", async (side) => {
  await newTopic(side)
  const groupId = group("offsets")
  await side.coordinator(groupId, 0)
  for (const version of [1, 2, 5, 7, 8, 9]) await fetchOffsets(side, groupId, { version })
  const topics = offsetTopics(
    { index: 0, offset: 5, metadata: "näh", epoch: 0 },
    { index: 1, offset: 6, metadata: "x".repeat(4097) },
    { index: 2, offset: 7, metadata: null },
  )
  for (const version of [2, 6, 8, 9]) await side.ask(OffsetCommit, version, { groupId, memberId: "", topics })
  for (const version of [1, 2, 5, 7, 8, 9]) await fetchOffsets(side, groupId, { version })
  await side.ask(OffsetFetch, 7, { groupId, topics: null, requireStable: true } as never)
  await side.ask(OffsetFetch, 8, {
    groups: [
      { groupId, topics: null },
      { groupId: group("absent"), topics: null },
    ],
  } as never)
  for (const version of [8, 9]) {
    await side.ask(OffsetCommit, version, {
      groupId: group("absent"),
      memberId: "m",
      generationIdOrMemberEpoch: 1,
      topics,
    })
  }
  await describeGroup(side, groupId)
  const member = await alone(side, groupId)
  const commit = (change: object) =>
    side.ask(OffsetCommit, 8, { groupId, memberId: "", topics: offsetTopics({ index: 0, offset: 9 }), ...change })
  const { memberId, generationId: generationIdOrMemberEpoch } = member
  await commit({})
  await commit({ memberId, generationIdOrMemberEpoch })
  await commit({ memberId, generationIdOrMemberEpoch: 99 })
  await commit({ memberId, generationIdOrMemberEpoch: -1 })
  await commit({ memberId: "stranger", generationIdOrMemberEpoch })
  await commit({ memberId, generationIdOrMemberEpoch, groupInstanceId: "unknown" })
  // Rejoining, the leader starts a generation that nobody has synced: commits must wait for it.
  const again = await join(side, groupId, { memberId })
  await commit({ memberId, generationIdOrMemberEpoch: again.generationId })
  await fetchOffsets(side, groupId)
})

compare("85, 86: groups are listed and deleted", async (side) => {
  await newTopic(side)
  const [withMember, withOffsets] = [group("listed-member"), group("listed-offsets")]
  const member = await alone(side, withMember)
  await side.coordinator(withOffsets, 0)
  await side.ask(OffsetCommit, 8, { groupId: withOffsets, memberId: "", topics: offsetTopics({ index: 0, offset: 5 }) })
  const listed = async (statesFilter: string[], typesFilter: string[], version = 5) => {
    const answer = await side.askSilently(ListGroups, version, { statesFilter, typesFilter } as never)
    return answer.groups
      .filter(({ groupId }) => groupId.startsWith("listed"))
      .sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  }
  side.note("lists", [
    await listed([], []),
    await listed(["Stable"], []),
    await listed(["empty"], []),
    await listed([], ["classic"]),
    await listed([], ["Consumer"]),
    await listed([], [], 4),
  ])
  const groupsNames = [withMember, withOffsets, group("absent"), ""]
  const results = async () => {
    const answer = await side.askSilently(DeleteGroups, 2, { groupsNames })
    return groupsNames.map((name) => answer.results.find(({ groupId }) => groupId === name)?.errorCode)
  }
  side.note("deleted", await results())
  await side.ask(LeaveGroup, 5, { groupId: withMember, members: [{ memberId: member.memberId }] })
  side.note("deleted again", await results())
  await fetchOffsets(side, withOffsets)
})
