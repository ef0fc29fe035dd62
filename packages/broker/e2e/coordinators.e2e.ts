/**
 * The same requests to our broker and to a real Apache Kafka, answers compared: groups, offsets and transactions.
 * Covers what rows 35-49 and 73-87 of the semantics say that one request at a time can show.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as joinPath } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { nodeHost } from "@millrace/host/node"
import type { Encodable } from "@millrace/protocol"
import { AddOffsetsToTxn } from "@millrace/protocol/messages/add-offsets-to-txn"
import { AddPartitionsToTxn } from "@millrace/protocol/messages/add-partitions-to-txn"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DeleteGroups } from "@millrace/protocol/messages/delete-groups"
import { DescribeGroups } from "@millrace/protocol/messages/describe-groups"
import { DescribeTransactions } from "@millrace/protocol/messages/describe-transactions"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { Heartbeat } from "@millrace/protocol/messages/heartbeat"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { JoinGroup, type JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import { LeaveGroup } from "@millrace/protocol/messages/leave-group"
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { SyncGroup } from "@millrace/protocol/messages/sync-group"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import { Broker } from "../src/index.ts"
import { Side, errorsOf } from "./side.ts"

const brokers = process.env["MILLRACE_TEST_BROKERS"] ?? ""
if (brokers === "") throw new Error("MILLRACE_TEST_BROKERS names no brokers: run this through `npm run test:kafka`")

const concurrentTransactions = 51
const run = Math.random().toString(36).slice(2, 8)
const topic = `oracle-${run}`
const group = (name: string) => `${name}-${run}`
const bytes = (value: string) => new Uint8Array(Buffer.from(value))

let dataDir = ""
let ours: Broker

beforeAll(async () => {
  dataDir = mkdtempSync(joinPath(tmpdir(), "millrace-oracle-"))
  ours = await Broker.start({
    host: nodeHost,
    dataDir,
    listen: { host: "127.0.0.1", port: 0 },
    config: {
      "group.initial.rebalance.delay.ms": "0",
      "group.min.session.timeout.ms": "500",
      "offsets.topic.num.partitions": "4",
      "transaction.state.log.num.partitions": "4",
      "offsets.topic.replication.factor": "1",
      "transaction.state.log.replication.factor": "1",
      "transaction.state.log.min.isr": "1",
    },
  })
})

afterAll(async () => {
  await ours?.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Plays a scene on both sides and compares what was seen. */
function compare(name: string, scene: (side: Side) => Promise<void>): void {
  test(name, async () => {
    const seen: unknown[][] = []
    for (const address of [`${ours.address.host}:${ours.address.port}`, brokers.split(",")[0]!]) {
      const side = new Side(address)
      try {
        await scene(side)
        seen.push(side.observed())
      } finally {
        side.close()
      }
    }
    const [here, there] = seen
    expect(here).toEqual(there)
  })
}

type JoinOptions = Partial<Encodable<typeof JoinGroup.request>>

function join(side: Side, groupId: string, options: JoinOptions = {}, version = 9): Promise<JoinGroupResponse> {
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

interface Member {
  readonly memberId: string
  readonly generationId: number
  readonly groupInstanceId: string | null
}

function sync(side: Side, groupId: string, member: Member, assignments: Record<string, string> = {}, version = 5) {
  const named = version >= 5 ? { protocolType: "consumer", protocolName: "range" } : {}
  return side.ask(SyncGroup, version, {
    groupId,
    ...member,
    ...named,
    assignments: Object.entries(assignments).map(([memberId, part]) => ({ memberId, assignment: bytes(part) })),
  })
}

const beat = (side: Side, groupId: string, { memberId, generationId, groupInstanceId }: Member) =>
  side.ask(Heartbeat, 4, { groupId, memberId, generationId, groupInstanceId })

/** Waits until the group is in a rebalance, as one of its members hears. */
async function rebalancing(side: Side, groupId: string, member: Member): Promise<void> {
  const { memberId, generationId, groupInstanceId } = member
  for (;;) {
    const { errorCode } = await side.askSilently(Heartbeat, 4, { groupId, memberId, generationId, groupInstanceId })
    if (errorCode !== 0) return
  }
}

/** A group of one, settled in its first generation. */
async function alone(side: Side, groupId: string, groupInstanceId: string | null = null): Promise<Member> {
  await side.coordinator(groupId, 0)
  const given = groupInstanceId === null ? (await join(side, groupId)).memberId : ""
  const { memberId, generationId } = await join(side, groupId, { memberId: given, groupInstanceId })
  const member = { memberId, generationId, groupInstanceId }
  await sync(side, groupId, member, { [memberId]: "all" })
  return member
}

/** A second member comes: both are in the next generation, the first leading, both parts assigned. */
async function joinedBy(side: Side, groupId: string, first: Member, instance: string | null = null): Promise<Member[]> {
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

const describeGroup = (side: Side, groupId: string, version = 6) =>
  side.ask(DescribeGroups, version, { groups: [groupId], includeAuthorizedOperations: false })

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

const offsetTopics = (...partitions: { index: number; offset: number; metadata?: string | null; epoch?: number }[]) => [
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

const fetchOffsets = (side: Side, groupId: string, options: { requireStable?: boolean; version?: number } = {}) => {
  const { requireStable = false, version = 9 } = options
  const partitionIndexes = [0, 1, 2]
  const topics = [{ name: topic, partitionIndexes }]
  return version >= 8
    ? side.ask(OffsetFetch, version, { groups: [{ groupId, topics }], requireStable } as never)
    : side.ask(OffsetFetch, version, { groupId, topics, requireStable } as never)
}

async function newTopic(side: Side): Promise<void> {
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

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

const patience = (response: unknown) => errorsOf(response).includes(concurrentTransactions)

const init = (
  side: Side,
  transactionalId: string | null,
  options: Partial<Producer> & { timeoutMs?: number } = {},
  version = 4,
) => {
  const { timeoutMs = 60_000, ...expected } = options
  return side.ask(
    InitProducerId,
    version,
    { transactionalId, transactionTimeoutMs: timeoutMs, ...expected } as never,
    patience,
  )
}

const add = (
  side: Side,
  transactionalId: string,
  { producerId, producerEpoch }: Producer,
  partitions: number[],
  version = 3,
) =>
  side.ask(
    AddPartitionsToTxn,
    version,
    {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions }],
    } as never,
    patience,
  )

const end = (
  side: Side,
  transactionalId: string,
  { producerId, producerEpoch }: Producer,
  committed: boolean,
  version = 3,
) => side.ask(EndTxn, version, { transactionalId, producerId, producerEpoch, committed }, patience)

compare("35, 36, 37: producers take over and go on", async (side) => {
  await newTopic(side)
  const id = group("init")
  await side.coordinator(id, 1)
  // Id 0 is what answers hold that have none: nobody here shall have it.
  await side.askSilently(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })
  await init(side, null)
  await init(side, "")
  for (const timeoutMs of [0, -1, 900_001, 2_000_000_000]) await init(side, id, { timeoutMs })
  const first = await init(side, id)
  const second = await init(side, id, first)
  await init(side, id, first)
  await init(side, id, { producerId: second.producerId, producerEpoch: 99 })
  await init(side, id, { producerId: 987_654, producerEpoch: 0 }, 3)
  const third = await init(side, id)
  await init(side, id, second)
  await add(side, id, third, [0])
  // Its transaction is aborted first, and the one who comes gets an epoch behind the abort's.
  await init(side, id)
  for (const version of [1, 2, 3]) await add(side, id, third, [0], version)
  for (const version of [1, 2, 3]) await end(side, id, third, true, version)
})

compare("38, 39, 48: transactions of version 1", async (side) => {
  await newTopic(side)
  const id = group("txn")
  await side.coordinator(id, 1)
  const producer = await init(side, id)
  const describe = () => side.ask(DescribeTransactions, 0, { transactionalIds: [id, group("absent"), ""] })
  await describe()
  await end(side, id, producer, true)
  await end(side, id, producer, false)
  await add(side, id, producer, [0])
  await add(side, id, producer, [0, 2])
  await describe()
  await add(side, id, { ...producer, producerEpoch: 7 }, [1])
  await add(side, id, { ...producer, producerId: 987_654 }, [1])
  await add(side, group("absent"), producer, [1])
  await add(side, "", producer, [1])
  const verify = (version: number) =>
    side.ask(AddPartitionsToTxn, version, {
      transactions: [
        { transactionalId: id, ...claim(producer), verifyOnly: true, topics: [{ name: topic, partitions: [0, 1] }] },
        {
          transactionalId: group("absent"),
          ...claim(producer),
          verifyOnly: true,
          topics: [{ name: topic, partitions: [0] }],
        },
      ],
    } as never)
  await verify(4)
  await verify(5)
  await end(side, id, { ...producer, producerEpoch: 7 }, true)
  await end(side, id, { ...producer, producerId: 987_654 }, true)
  await end(side, group("absent"), producer, true)
  await end(side, id, producer, true)
  await end(side, id, producer, true)
  await end(side, id, producer, false)
  await describe()
  await add(side, id, producer, [1])
  await end(side, id, producer, false)
  await end(side, id, producer, false)
  await end(side, id, producer, true)
})

const claim = ({ producerId, producerEpoch }: Producer) => ({ producerId, producerEpoch })

compare("45, 46, 47: offsets in transactions", async (side) => {
  await newTopic(side)
  const [id, groupId] = [group("txn-offsets"), group("txn-group")]
  await side.coordinator(id, 1)
  await side.coordinator(groupId, 0)
  const producer = await init(side, id)
  const commit = (offset: number, options: { from?: Producer; version?: number; membership?: object } = {}) => {
    const { from = producer, version = 3, membership = {} } = options
    return side.ask(
      TxnOffsetCommit,
      version,
      {
        transactionalId: id,
        groupId,
        ...claim(from),
        ...membership,
        topics: offsetTopics({ index: 0, offset, metadata: "m" }),
      } as never,
      patience,
    )
  }
  const addOffsets = (from: Producer = producer) =>
    side.ask(AddOffsetsToTxn, 3, { transactionalId: id, ...claim(from), groupId }, patience)
  await addOffsets({ ...producer, producerEpoch: 7 })
  for (const committed of [true, false]) {
    await addOffsets()
    await commit(committed ? 10 : 20)
    await fetchOffsets(side, groupId, { requireStable: true })
    await fetchOffsets(side, groupId, { requireStable: false })
    await end(side, id, producer, committed)
    // Until the marker is written the offset is unstable on either broker.
    const { errorCode } = await side.askSilently(OffsetFetch, 7, {
      groupId,
      topics: null,
      requireStable: false,
    } as never)
    side.note("group error", errorCode)
    await stableOffsets(side, groupId)
    await fetchOffsets(side, groupId, { requireStable: true })
  }
  await addOffsets()
  await commit(30)
  await side.ask(OffsetCommit, 8, { groupId, memberId: "", topics: offsetTopics({ index: 0, offset: 40 }) })
  await end(side, id, producer, true)
  await stableOffsets(side, groupId)
  await fetchOffsets(side, groupId, { requireStable: true })
  // Membership is checked for those who claim it.
  const member = await alone(side, groupId)
  await addOffsets()
  const generationIdOrMemberEpoch = member.generationId
  await commit(50, { membership: { memberId: member.memberId, generationIdOrMemberEpoch } })
  await commit(50, { membership: { memberId: member.memberId, generationIdOrMemberEpoch: 99 } })
  await commit(50, { membership: { memberId: "stranger", generationIdOrMemberEpoch } })
  await commit(50, { membership: { memberId: member.memberId, generationIdOrMemberEpoch, groupInstanceId: "unknown" } })
  await commit(51, { version: 2 })
  await end(side, id, producer, true)
  await stableOffsets(side, groupId)
  await fetchOffsets(side, groupId)
})

/** Markers are written in the background. */
async function stableOffsets(side: Side, groupId: string): Promise<void> {
  for (;;) {
    const groups = [{ groupId, topics: [{ name: topic, partitionIndexes: [0, 1, 2] }] }]
    const answer = await side.askSilently(OffsetFetch, 8, { groups, requireStable: true } as never)
    if (errorsOf(answer).every((code) => code === 0)) return
  }
}

/** Partitions join a transaction of version 2 by being written to; the broker that is written to adds them like this. */
const addForClient = (side: Side, transactionalId: string, producer: Producer, partitions: number[]) =>
  side.ask(
    AddPartitionsToTxn,
    5,
    {
      transactions: [{ transactionalId, ...claim(producer), verifyOnly: false, topics: [{ name: topic, partitions }] }],
    } as never,
    patience,
  )

/**
 * A commit repeated after its transaction was aborted: INVALID_TXN_STATE in Kafka up to 4.4, PRODUCER_FENCED later
 * (apache/kafka#23204), which is what it means.
 */
async function endsInVain(side: Side, transactionalId: string, from: Producer): Promise<void> {
  const request = { transactionalId, ...claim(from), committed: true }
  const { errorCode } = await side.askSilently(EndTxn, 5, request)
  side.note("a commit of what was aborted is refused", errorCode === 48 || errorCode === 90)
}

compare("39, 40, 43: transactions of version 2", async (side) => {
  await newTopic(side)
  const id = group("txn-2")
  await side.coordinator(id, 1)
  const producer = await init(side, id)
  const end5 = async (from: Producer, committed: boolean) => claim(await end(side, id, from, committed, 5))
  const epoch = (producerEpoch: number): Producer => ({ producerId: producer.producerId, producerEpoch })
  await end5(producer, true)
  await end5(epoch(7), false)
  await end5(producer, false)
  // Epoch 1 now, the abort complete.
  await endsInVain(side, id, epoch(0))
  await end5(epoch(0), false)
  await end5(epoch(1), true)
  await end5(epoch(1), false)
  await addForClient(side, id, epoch(1), [0])
  await addForClient(side, id, epoch(2), [0, 1])
  for (const committed of [true, false]) await end5(epoch(1), committed)
  await end5(epoch(2), true)
  // Epoch 3, the commit complete.
  for (const committed of [true, false]) await end5(epoch(2), committed)
  await end5(epoch(3), true)
  await addForClient(side, id, epoch(3), [2])
  await end5(epoch(3), false)
  await endsInVain(side, id, epoch(3))
  await end5(epoch(3), false)
  await side.ask(DescribeTransactions, 0, { transactionalIds: [id] })
  // Someone takes over in the middle.
  await addForClient(side, id, epoch(4), [0])
  const next = await init(side, id)
  await end5(epoch(4), true)
  await end5(next, true)
  await addForClient(side, id, next, [0])
  await end5(next, true)
})

compare("37, 44: a client of version 2 goes on after its transaction timed out", async (side) => {
  await newTopic(side)
  const id = group("txn-timeout")
  await side.coordinator(id, 1)
  const producer = await init(side, id, { timeoutMs: 1000 })
  await addForClient(side, id, producer, [0])
  for (;;) {
    const { transactionStates } = await side.askSilently(DescribeTransactions, 0, { transactionalIds: [id] })
    if (transactionStates[0]?.transactionState === "CompleteAbort") break
  }
  await side.ask(DescribeTransactions, 0, { transactionalIds: [id] })
  await endsInVain(side, id, producer)
  await addForClient(side, id, producer, [0])
  await init(side, id, producer)
  await init(side, id, producer)
})
