/** Groups that go over from the classic to the consumer protocol and back (row 96), beside a real Apache Kafka. */
import { decode, encode } from "@millrace/protocol"
import { ConsumerGroupDescribe } from "@millrace/protocol/messages/consumer-group-describe"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { Heartbeat } from "@millrace/protocol/messages/heartbeat"
import { JoinGroup, type JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import { LeaveGroup } from "@millrace/protocol/messages/leave-group"
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { SyncGroup } from "@millrace/protocol/messages/sync-group"
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from "@millrace/protocol/records/consumer-protocol"
import { compare, group, oracle, topic } from "./oracle.ts"
import { describeGroup, newTopic, offsetTopics } from "./requests.ts"
import type { Side } from "./side.ts"

oracle()

const REBALANCE_IN_PROGRESS = 27

function prefixed(version: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + body.length)
  new DataView(bytes.buffer).setInt16(0, version)
  bytes.set(body, 2)
  return bytes
}

const metadata = prefixed(
  1,
  encode(ConsumerProtocolSubscription, 1, { topics: [topic], userData: null, ownedPartitions: [] }),
)
const everything = (count: number) => {
  const partitions = Array.from({ length: count }, (_, index) => index)
  const assignedPartitions = [{ topic, partitions }]
  return prefixed(0, encode(ConsumerProtocolAssignment, 0, { assignedPartitions, userData: null }))
}

/** A consumer of the classic protocol that gives everything up before it rejoins, and as a leader takes all. */
class Classic {
  readonly #side: Side
  readonly #groupId: string
  readonly #count: number
  memberId = ""
  generationId = -1
  partitions: number[] = []
  joined: JoinGroupResponse | undefined

  constructor(side: Side, groupId: string, count: number) {
    this.#side = side
    this.#groupId = groupId
    this.#count = count
  }

  async join(): Promise<void> {
    this.partitions = []
    for (;;) {
      const answer = await this.#side.askSilently(JoinGroup, 9, {
        ...{ groupId: this.#groupId, memberId: this.memberId, sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000 },
        ...{ protocolType: "consumer", protocols: [{ name: "range", metadata }] },
      })
      this.memberId = answer.memberId
      if (answer.errorCode !== 0) continue
      this.joined = answer
      this.generationId = answer.generationId
      if (await this.#sync(answer.leader === answer.memberId)) return
    }
  }

  async beat(): Promise<void> {
    const { errorCode } = await this.#side.askSilently(Heartbeat, 4, { groupId: this.#groupId, ...this.member() })
    if (errorCode !== 0) await this.join()
  }

  member() {
    return { memberId: this.memberId, generationId: this.generationId, groupInstanceId: null }
  }

  async #sync(leads: boolean): Promise<boolean> {
    const assignments = leads ? [{ memberId: this.memberId, assignment: everything(this.#count) }] : []
    const { errorCode, assignment } = await this.#side.askSilently(SyncGroup, 5, {
      ...{ groupId: this.#groupId, ...this.member(), protocolType: "consumer", protocolName: "range", assignments },
    })
    if (errorCode === REBALANCE_IN_PROGRESS) return false
    const read = decode(ConsumerProtocolAssignment, 0, assignment, 2)
    this.partitions = read.assignedPartitions.flatMap(({ partitions }) => partitions)
    return true
  }
}

/** A consumer of the consumer protocol. */
class Consumer {
  readonly #side: Side
  readonly #groupId: string
  memberEpoch = 0
  owned: { topicId: string; partitions: number[] }[] = []

  constructor(side: Side, groupId: string) {
    this.#side = side
    this.#groupId = groupId
  }

  async beat(memberEpoch = this.memberEpoch): Promise<number> {
    const joins = memberEpoch === 0
    const answer = await this.#side.askSilently(ConsumerGroupHeartbeat, 1, {
      ...{ groupId: this.#groupId, memberId: "c", memberEpoch, rebalanceTimeoutMs: joins ? 60_000 : -1 },
      ...{ subscribedTopicNames: joins ? [topic] : null, topicPartitions: this.owned },
    })
    if (answer.errorCode === 0) this.memberEpoch = answer.memberEpoch
    if (answer.assignment !== null) this.owned = answer.assignment.topicPartitions
    return answer.errorCode
  }

  get partitions(): number[] {
    return this.owned.flatMap(({ partitions }) => partitions)
  }
}

async function noteGroup(side: Side, groupId: string): Promise<void> {
  const { groups } = await side.askSilently(ListGroups, 5, { statesFilter: [], typesFilter: [] })
  side.note(
    "listed",
    groups.filter((one) => one.groupId === groupId),
  )
}

compare("96: a group goes over with its first member of the other protocol, and back with its last", async (side) => {
  await newTopic(side)
  const groupId = group("migrates")
  await side.coordinator(groupId, 0)
  const classic = new Classic(side, groupId, 3)
  await classic.join()
  await noteGroup(side, groupId)
  const consumer = new Consumer(side, groupId)
  side.note("joins", [await consumer.beat(), consumer.memberEpoch > classic.generationId])
  while (classic.partitions.length + consumer.partitions.length !== 3 || consumer.partitions.length === 0) {
    await consumer.beat()
    await classic.beat()
  }
  side.note("is classic's generation its epoch", classic.generationId === consumer.memberEpoch)
  side.note("reads", [...classic.partitions, ...consumer.partitions].sort())
  const { memberId: _, generationId: __, ...joined } = classic.joined!
  side.note("joined", joined)
  await noteGroup(side, groupId)
  await describeGroup(side, groupId)
  const { groups } = await side.askSilently(ConsumerGroupDescribe, 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })
  side.note(
    "described",
    groups[0]!.members.map(({ memberType, subscribedTopicNames, instanceId, rackId }) => ({
      ...{ memberType, subscribedTopicNames, instanceId, rackId },
    })),
  )

  const member = classic.member()
  await side.ask(Heartbeat, 4, { groupId, ...member })
  await side.ask(Heartbeat, 4, { groupId, ...member, generationId: member.generationId + 1 })
  await side.ask(Heartbeat, 4, { groupId, ...member, memberId: "stranger" })
  await side.ask(Heartbeat, 4, { groupId, ...member, memberId: "c", generationId: consumer.memberEpoch })
  await side.ask(Heartbeat, 4, { groupId, ...member, groupInstanceId: "nobody" })
  const named = { protocolType: "consumer", protocolName: "range", assignments: [] }
  await side.ask(SyncGroup, 5, { groupId, ...member, ...named, generationId: 99 })
  await side.ask(SyncGroup, 5, { groupId, ...member, ...named, protocolName: "sticky" })
  await side.ask(SyncGroup, 5, { groupId, ...member, ...named, protocolType: "connect" })
  await side.ask(SyncGroup, 5, { groupId, ...member, ...named, memberId: "c" })
  const stranger = { groupId, memberId: "stranger", sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000 }
  const kind = { protocolType: "consumer", protocols: [{ name: "range", metadata }] }
  const refusals = [
    { ...kind, protocolType: "connect" },
    { ...kind, protocols: [{ name: "sticky", metadata }] },
    { ...kind, groupInstanceId: "nobody" },
    { ...kind, sessionTimeoutMs: 1 },
  ]
  for (const refusal of refusals) {
    const { errorCode } = await side.askSilently(JoinGroup, 9, { ...stranger, ...refusal })
    side.note("refused", errorCode)
  }
  const commit = (generationIdOrMemberEpoch: number, memberId: string, version: number) =>
    side.ask(OffsetCommit, version, {
      ...{ groupId, memberId, generationIdOrMemberEpoch, topics: offsetTopics({ index: 0, offset: 5 }) },
    })
  await commit(member.generationId, member.memberId, 8)
  await commit(member.generationId + 1, member.memberId, 8)
  await commit(consumer.memberEpoch, "c", 8)
  await side.ask(LeaveGroup, 5, { groupId, members: [{ memberId: "stranger" }] })

  side.note("leaves", await consumer.beat(-1))
  while (classic.partitions.length !== 3) await classic.beat()
  await noteGroup(side, groupId)
  side.note("leads", classic.joined!.leader === classic.memberId)
  await side.ask(LeaveGroup, 5, { groupId, members: [{ memberId: classic.memberId }] })
})

compare("96: a group of others than consumers does not go over", async (side) => {
  const groupId = group("connect")
  await side.coordinator(groupId, 0)
  const joins = (memberId: string) =>
    side.askSilently(JoinGroup, 9, {
      ...{ groupId, memberId, sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000 },
      ...{ protocolType: "connect", protocols: [{ name: "sessioned", metadata }] },
    })
  const { memberId } = await joins("")
  await joins(memberId)
  side.note("refused", await new Consumer(side, groupId).beat())
  await side.ask(LeaveGroup, 5, { groupId, members: [{ memberId }] })
})
