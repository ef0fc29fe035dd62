/** What topics, partitions and brokers there are, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { DescribeCluster } from "@millrace/protocol/messages/describe-cluster"
import { DescribeTopicPartitions } from "@millrace/protocol/messages/describe-topic-partitions"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { create, versionsOf } from "./broker-topics.ts"
import { compare, differs, group, oracle } from "./oracle.ts"

oracle()

const ZERO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
const UNKNOWN_ID = "AbAAAAAAQACAAAAAAAAAAA"

compare("4, 5: all versions of Metadata, for topics that are there and that are not", async (side) => {
  const [one, three] = [group("md-one"), group("md-three")]
  const id = await create(side, one)
  await create(side, three, 3)
  for (const version of versionsOf(Metadata)) {
    const ask = (topics: object[] | null, options: object = {}) =>
      side.tell(Metadata, version, {
        topics,
        ...(version >= 4 ? { allowAutoTopicCreation: false } : {}),
        ...options,
      } as never)
    await ask([{ name: one }])
    await ask([{ name: three }, { name: one }])
    await ask([{ name: one }, { name: one }])
    if (version >= 1) await ask([])
    if (version >= 4) {
      await ask([{ name: group("md-absent") }])
      await ask([{ name: one }, { name: group("md-absent") }, { name: "a b" }])
      for (const name of ["", ".", "..", "a/b", "ä", "x".repeat(249), "x".repeat(250), "__consumer_offsetsx"])
        await ask([{ name }])
    }
    if (version >= 8) {
      await ask([{ name: one }, { name: group("md-absent") }], { includeTopicAuthorizedOperations: true })
    }
    if (version >= 8 && version <= 10) await ask([], { includeClusterAuthorizedOperations: true })
    if (version >= 10) {
      for (const topicId of [id, UNKNOWN_ID, ZERO_ID]) {
        if (version < 12 || topicId !== ZERO_ID) await ask([{ name: null, topicId }])
        await ask([{ name: one, topicId }])
      }
      await ask([
        { name: null, topicId: id },
        { name: one, topicId: ZERO_ID },
      ])
      await ask([
        { name: null, topicId: id },
        { name: null, topicId: UNKNOWN_ID },
      ])
    }
  }
})

differs(
  "Kafka fails without a name on a topic that has neither name nor id",
  async (side) => {
    const answer = await side.tell(Metadata, 12, { topics: [{ name: null, topicId: ZERO_ID }] })
    return answer!.topics.map(({ errorCode }) => errorCode)
  },
  { ours: [42], kafkas: [-1] },
)

differs(
  "Kafka fails without a name on pages of topics one of which has an empty one",
  async (side) => {
    const answer = await side.tell(DescribeTopicPartitions, 0, { topics: [{ name: "" }] })
    return answer!.topics.map(({ errorCode }) => errorCode)
  },
  { ours: [17], kafkas: [-1] },
)

compare("4: topics come to be by being asked for", async (side) => {
  for (const version of versionsOf(Metadata)) {
    const name = group(`md-auto-${version}`)
    for (;;) {
      const answer = await side.askSilently(Metadata, version, { topics: [{ name }] } as never)
      const { errorCode, partitions } = (answer as { topics: { errorCode: number; partitions: unknown[] }[] })
        .topics[0]!
      if (errorCode === 0 && partitions.length > 0) break
      // Told at once, or told to come back.
      if (errorCode !== 5 && errorCode !== 3) side.note("error", [version, errorCode])
    }
    await side.tell(Metadata, version, { topics: [{ name }] } as never)
    if (version < 4) continue
    await side.tell(Metadata, version, { topics: [{ name: "a b" }], allowAutoTopicCreation: true } as never)
  }
})

compare("7: pages of topics", async (side) => {
  const names = ["c", "a", "b"].map((name) => group(`page-${name}`))
  for (const name of names) await create(side, name, 3)
  const ask = (topics: readonly string[], options: { limit?: number; cursor?: [string, number] | null } = {}) =>
    side.tell(DescribeTopicPartitions, 0, {
      topics: topics.map((name) => ({ name })),
      responsePartitionLimit: options.limit ?? 2000,
      cursor: options.cursor ? { topicName: options.cursor[0], partitionIndex: options.cursor[1] } : null,
    })
  await ask(names)
  for (const limit of [0, -1, 1, 2, 3, 4, 7, 9, 10, 5000]) await ask(names, { limit })
  const [c, a, b] = names as [string, string, string]
  for (const cursor of [
    [a, 0],
    [b, 1],
    [c, 2],
    [c, 3],
    [c, 99],
    [a, -1],
    [group("page-aa"), 0],
    ["", 0],
    ["zz", 0],
  ] as const) {
    await ask(names, { cursor: [...cursor] })
    await ask(names, { cursor: [...cursor], limit: 2 })
  }
  await ask([a, a, group("page-absent"), b])
  await ask([a, "a b"])
  await ask([a], { cursor: [b, 0] })
})

compare("all versions of DescribeCluster", async (side) => {
  for (const version of versionsOf(DescribeCluster)) {
    for (const includeClusterAuthorizedOperations of [false, true]) {
      for (const endpointType of version >= 1 ? [1, 3, 0, -1] : [undefined]) {
        for (const includeFencedBrokers of version >= 2 ? [false, true] : [undefined]) {
          const request = { includeClusterAuthorizedOperations, endpointType, includeFencedBrokers }
          const given = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined))
          await side.tell(DescribeCluster, version, given as never)
        }
      }
    }
  }
})

compare("all versions of FindCoordinator", async (side) => {
  await side.coordinator(group("any"), 0)
  await side.coordinator(group("any"), 1)
  for (const version of versionsOf(FindCoordinator)) {
    for (const key of [group("any"), "", "ä b", "x".repeat(1000)]) {
      for (const keyType of version >= 1 ? [0, 1, 2, 3, -1] : [0]) {
        if (keyType === 2) continue
        const typed = version >= 1 ? { keyType } : {}
        await side.tell(
          FindCoordinator,
          version,
          (version >= 4 ? { ...typed, coordinatorKeys: [key] } : { ...typed, key }) as never,
        )
      }
    }
    if (version < 4) continue
    await side.tell(FindCoordinator, version, { keyType: 0, coordinatorKeys: [] })
    await side.tell(FindCoordinator, version, { keyType: 0, coordinatorKeys: ["a", "b", "a"] })
  }
})

const wanted = (name: string, options: object = {}) => ({
  ...{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...options },
})

compare("11: all versions of CreateTopics", async (side) => {
  for (const version of versionsOf(CreateTopics)) {
    const name = (text: string) => group(`create-${version}-${text}`)
    const ask = (topics: object[], options: object = {}) =>
      side.tell(CreateTopics, version, { topics, timeoutMs: 10_000, ...options } as never)
    await ask([wanted(name("a"))], { validateOnly: true })
    await ask([wanted(name("a"))])
    await ask([wanted(name("a"))])
    await ask([wanted(name("a"))], { validateOnly: true })
    await ask([wanted(name("b"), { numPartitions: -1, replicationFactor: -1 })])
    await ask([
      wanted(name("c"), {
        numPartitions: 3,
        replicationFactor: -1,
        configs: [{ name: "retention.ms", value: "1000" }],
      }),
    ])
    for (const numPartitions of [0, -2]) await ask([wanted(name("d"), { numPartitions })])
    for (const replicationFactor of [0, -2, 2, 99]) await ask([wanted(name("d"), { replicationFactor })])
    for (const bad of ["", ".", "..", "a b", "ä", "x".repeat(250), "a/b"]) await ask([wanted(bad)])
    await ask([wanted("x".repeat(249))], { validateOnly: true })
    await ask([wanted(name("e")), wanted(name("e"))])
    await ask([wanted(name("f")), wanted("a b"), wanted(name("a"))])
    await ask([])
    const assigned = (assignments: object[], more: object = {}) =>
      ask([wanted(name("g"), { numPartitions: -1, replicationFactor: -1, assignments, ...more })], {
        validateOnly: true,
      })
    await assigned([{ partitionIndex: 0, brokerIds: [1] }])
    await assigned([{ partitionIndex: 0, brokerIds: [1] }], { numPartitions: 1 })
    await assigned([{ partitionIndex: 1, brokerIds: [1] }])
    await assigned([{ partitionIndex: 0, brokerIds: [] }])
    await assigned([{ partitionIndex: 0, brokerIds: [99] }])
    await assigned([{ partitionIndex: 0, brokerIds: [1, 1] }])
    await assigned([
      { partitionIndex: 0, brokerIds: [1] },
      { partitionIndex: 0, brokerIds: [1] },
    ])
    await assigned([
      { partitionIndex: 0, brokerIds: [1] },
      { partitionIndex: 2, brokerIds: [1] },
    ])
    await assigned([{ partitionIndex: 0, brokerIds: [-1] }])
    const configured = (...configs: [string, string | null][]) =>
      ask([wanted(name("h"), { configs: configs.map(([key, value]) => ({ name: key, value })) })], {
        validateOnly: true,
      })
    await configured(["cleanup.policy", "compact"])
    await configured(["cleanup.policy", "compact,delete"])
    await configured(["cleanup.policy", "nothing"])
    await configured(["cleanup.policy", ""])
    await configured(["retention.ms", "-1"])
    await configured(["retention.ms", "-2"])
    await configured(["retention.ms", "soon"])
    await configured(["retention.ms", null])
    await configured(["retention.ms", ""])
    await configured(["no.such.config", "1"])
    await configured(["", "1"])
    await configured(["retention.ms", "1"], ["retention.ms", "2"])
    await configured(["max.message.bytes", "0"])
    await configured(["max.message.bytes", "-1"])
    await configured(["segment.bytes", "1"])
    await configured(["min.insync.replicas", "0"])
    await configured(["compression.type", "rar"])
    await configured(["compression.type", "ZSTD"])
    await configured(["message.timestamp.type", "Never"])
    await configured(["min.cleanable.dirty.ratio", "2"])
    await configured(["unclean.leader.election.enable", "perhaps"])
    await configured(["unclean.leader.election.enable", "TRUE"])
    await configured(["min.compaction.lag.ms", "10"], ["max.compaction.lag.ms", "5"])
  }
})

compare("all versions of DeleteTopics", async (side) => {
  for (const version of versionsOf(DeleteTopics)) {
    const names = ["a", "b", "c"].map((text) => group(`drop-${version}-${text}`))
    const ids: string[] = []
    for (const name of names) ids.push(await create(side, name))
    const byName = (...topics: string[]) =>
      side.tell(
        DeleteTopics,
        version,
        (version >= 6
          ? { topics: topics.map((name) => ({ name, topicId: ZERO_ID })), timeoutMs: 5000 }
          : { topicNames: topics, timeoutMs: 5000 }) as never,
      )
    await byName(group("drop-absent"))
    await byName("", "a b")
    await byName(names[0]!, names[0]!)
    await byName(names[0]!)
    await byName()
    if (version < 6) continue
    const ask = (topics: object[]) => side.tell(DeleteTopics, version, { topics, timeoutMs: 5000 } as never)
    await ask([{ name: null, topicId: UNKNOWN_ID }])
    await ask([{ name: null, topicId: ZERO_ID }])
    await ask([{ name: names[1]!, topicId: ids[1]! }])
    await ask([
      { name: null, topicId: ids[1]! },
      { name: null, topicId: ids[1]! },
    ])
    await ask([
      { name: null, topicId: ids[2]! },
      { name: names[2]!, topicId: ZERO_ID },
    ])
    await ask([
      { name: null, topicId: ids[1]! },
      { name: names[2]!, topicId: ZERO_ID },
    ])
  }
})
