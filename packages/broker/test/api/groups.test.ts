import { ErrorCode } from "@millrace/protocol"
import { DescribeGroups } from "@millrace/protocol/messages/describe-groups"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { JoinGroup } from "@millrace/protocol/messages/join-group"
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetDelete } from "@millrace/protocol/messages/offset-delete"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { SyncGroup } from "@millrace/protocol/messages/sync-group"
import { describe, expect, test } from "vitest"
import { type Client, start } from "../harness.ts"

async function coordinator(client: Client, group = "g") {
  const response = await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [group] })
  return response.coordinators[0]!
}

async function commit(client: Client, topic: string, offset: number, metadata: string | null = null) {
  const partitions = [
    { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: 3, committedMetadata: metadata },
  ]
  const response = await client.send(OffsetCommit, 8, {
    groupId: "g",
    memberId: "",
    topics: [{ name: topic, partitions }],
  })
  return response.topics[0]!.partitions[0]!.errorCode
}

async function fetched(client: Client, topics: { name: string; partitionIndexes: number[] }[] | null) {
  const response = await client.send(OffsetFetch, 8, {
    groups: [{ groupId: "g", topics }],
    requireStable: false,
  })
  return response.groups[0]!
}

describe("coordinators", () => {
  test("the internal topic is made at the first question, with its own settings, and not listed as a client's", async () => {
    const client = await (await start()).client()
    expect(await coordinator(client)).toMatchObject({ errorCode: 0, nodeId: 1, host: "broker", port: 9092 })
    const { Metadata } = await import("@millrace/protocol/messages/metadata")
    const { topics } = await client.send(Metadata, 12, { topics: null })
    expect(topics).toMatchObject([{ name: "__consumer_offsets", isInternal: true }])
    expect(topics[0]!.partitions).toHaveLength(2)
  })

  test("an unknown type of key", async () => {
    const client = await (await start()).client()
    const response = await client.send(FindCoordinator, 2, { key: "g", keyType: 7 })
    expect(response).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  })
})

test("deleting the coordinator's own topic forgets its groups; it is made anew when asked for", async () => {
  const started = await start()
  const client = await started.client()
  await client.createTopic("a")
  await coordinator(client)
  await commit(client, "a", 5)
  const { DeleteTopics } = await import("@millrace/protocol/messages/delete-topics")
  await client.send(DeleteTopics, 5, { topicNames: ["__consumer_offsets"], timeoutMs: 1000 })
  expect(await fetched(client, null)).toMatchObject({ errorCode: ErrorCode.NOT_COORDINATOR })
  expect(await coordinator(client)).toMatchObject({ errorCode: 0 })
  expect(await fetched(client, null)).toMatchObject({ errorCode: 0, topics: [] })
  expect(await commit(client, "a", 6)).toBe(0)
  expect(started.defects).toEqual([])
})

describe("offsets", () => {
  test("80: metadata and leader epoch come back; too long a text is refused", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    await coordinator(client)
    expect(await commit(client, "a", 5, "note")).toBe(0)
    expect(await commit(client, "a", 6, "x".repeat(4097))).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE)
    expect(await fetched(client, [{ name: "a", partitionIndexes: [0] }])).toMatchObject({
      errorCode: 0,
      topics: [{ partitions: [{ committedOffset: 5, committedLeaderEpoch: 3, metadata: "note" }] }],
    })
  })

  test("what is told of a topic is told in one place, whatever its partitions come to", async () => {
    const client = await (await start()).client()
    await client.createTopic("a", 2)
    await coordinator(client)
    const partitions = [7, 0, 1].map((partitionIndex) => ({
      partitionIndex,
      committedOffset: 1,
      committedMetadata: "",
    }))
    const committed = await client.send(OffsetCommit, 8, {
      groupId: "g",
      memberId: "",
      topics: [{ name: "a", partitions }],
    })
    const told = committed.topics.map((topic) =>
      topic.partitions.map((one) => [one.partitionIndex, one.errorCode]).sort(),
    )
    expect(told).toEqual([
      [
        [0, 0],
        [1, 0],
        [7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      ],
    ])
  })

  test("85: offsets of partitions that are not there cannot be deleted; the others are", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    await coordinator(client)
    await commit(client, "a", 5)
    const topics = [
      { name: "a", partitions: [{ partitionIndex: 7 }, { partitionIndex: 0 }] },
      { name: "nowhere", partitions: [{ partitionIndex: 0 }] },
      { name: "a", partitions: [] },
    ]
    const deleted = await client.send(OffsetDelete, 0, { groupId: "g", topics })
    const absent = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    expect(deleted.topics).toEqual([
      {
        name: "a",
        partitions: [
          { partitionIndex: 0, errorCode: 0 },
          { partitionIndex: 7, errorCode: absent },
        ],
      },
      { name: "nowhere", partitions: [{ partitionIndex: 0, errorCode: absent }] },
    ])
    expect((await fetched(client, null)).topics).toEqual([])
  })

  test("80: an unknown partition is refused", async () => {
    const client = await (await start()).client()
    await coordinator(client)
    expect(await commit(client, "nowhere", 5)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test("81: null topics means all, what was never committed is -1 without an error", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    await coordinator(client)
    expect(await fetched(client, null)).toMatchObject({ errorCode: 0, topics: [] })
    await commit(client, "a", 5)
    expect(await fetched(client, null)).toMatchObject({ topics: [{ name: "a", partitions: [{ committedOffset: 5 }] }] })
    expect(await fetched(client, [{ name: "a", partitionIndexes: [9] }])).toMatchObject({
      topics: [{ partitions: [{ committedOffset: -1, errorCode: 0 }] }],
    })
  })

  test("committed offsets by topic id, and after a restart", async () => {
    const started = await start()
    const client = await started.client()
    const topicId = await client.createTopic("a")
    await coordinator(client)
    const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }]
    const response = await client.send(OffsetCommit, 10, {
      groupId: "g",
      memberId: "",
      topics: [
        { topicId, partitions },
        { topicId: "AAAAAAAAAAAAAAAAAAAAEg", partitions },
      ],
    })
    expect(response.topics.map((topic) => [topic.topicId, topic.partitions[0]!.errorCode])).toEqual([
      [topicId, 0],
      ["AAAAAAAAAAAAAAAAAAAAEg", ErrorCode.UNKNOWN_TOPIC_ID],
    ])
    await started.broker.close()
    const again = await (await start({}, { dataDir: started.dataDir })).client()
    const read = await again.send(OffsetFetch, 10, {
      groups: [{ groupId: "g", topics: [{ topicId, partitionIndexes: [0] }] }],
      requireStable: true,
    })
    expect(read.groups[0]).toMatchObject({ topics: [{ topicId, partitions: [{ committedOffset: 7 }] }] })
  })
})

describe("groups", () => {
  test("86: a group without a name is one that is not there, and nobody may do anything with it", async () => {
    const client = await (await start()).client()
    await coordinator(client, "")
    const describeIt = async (version: number) =>
      (await client.send(DescribeGroups, version, { groups: [""], includeAuthorizedOperations: true })).groups[0]!
    expect(await describeIt(5)).toMatchObject({ errorCode: 0, groupState: "Dead" })
    const later = await describeIt(6)
    expect(later).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, groupState: "Dead" })
    expect(later.authorizedOperations).toBeLessThan(0)
  })

  test("86: an unknown group is an error from v6 on, dead before", async () => {
    const client = await (await start()).client()
    await coordinator(client)
    const ask = async (version: number) => (await client.send(DescribeGroups, version, { groups: ["nope"] })).groups[0]
    expect(await ask(6)).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND })
    expect(await ask(5)).toMatchObject({ errorCode: 0, groupState: "Dead" })
  })

  test("86: a group of one joins, is stable, is listed by state", async () => {
    const client = await (await start()).client("consumer")
    await coordinator(client)
    const join = async (memberId: string) =>
      client.send(JoinGroup, 7, {
        groupId: "g",
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        memberId,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: new Uint8Array([1]) }],
      })
    const first = await join("")
    expect(first.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
    const joined = await join(first.memberId)
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, leader: first.memberId, protocolName: "range" })
    const synced = await client.send(SyncGroup, 5, {
      groupId: "g",
      generationId: 1,
      memberId: first.memberId,
      protocolType: "consumer",
      protocolName: "range",
      assignments: [{ memberId: first.memberId, assignment: new Uint8Array([7]) }],
    })
    expect(synced).toMatchObject({ errorCode: 0 })
    expect([...synced.assignment]).toEqual([7])
    const list = async (state: string) =>
      (await client.send(ListGroups, 4, { statesFilter: [state] })).groups.map(({ groupId }) => groupId)
    expect(await list("Stable")).toEqual(["g"])
    expect(await list("Empty")).toEqual([])
    const { groups } = await client.send(DescribeGroups, 6, { groups: ["g"] })
    expect(groups[0]).toMatchObject({
      groupState: "Stable",
      members: [{ clientId: "consumer", clientHost: "/memory" }],
    })
  })
})
