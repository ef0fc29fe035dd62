/**
 * Requests out of a seed, to our broker and to a real Apache Kafka: every API that we serve in every version, whatever its
 * fields hold. The scenes of the other suites know what they ask; this one finds what nobody thought of. More of it:
 * MILLRACE_SWEEP_SEEDS=100.
 */
import { type Api, ZERO_UUID } from "@millrace/protocol"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { expect, test } from "vitest"
import { allApis } from "../src/api/all.ts"
import { batch, create, TIME, versionsOf } from "./broker-topics.ts"
import { compare, group, oracle } from "./oracle.ts"
import { type Pools, RequestMaker, seeded } from "./random-request.ts"
import type { Side } from "./side.ts"

oracle()

/** Not asked at random, each with its reason; the other suites ask them. */
const NOT_ASKED: Readonly<Record<string, string>> = {
  JoinGroup: "It waits for other members, for as long as it likes.",
  SyncGroup: "It waits for the leader.",
  AlterUserScramCredentials: "What it changes is seen a moment later, and later requests would tell.",
  AlterClientQuotas: "As above.",
  ApiVersions: "It says what there is of each broker.",
  DescribeConfigs: "All settings of a broker or group are in it; the suite of configs says which ones both have.",
  DescribeCluster: "It has few fields, all of which its scene asks.",
  ListGroups: "It lists what other suites left behind at a broker that all share.",
  ListTransactions: "As above.",
  ListConfigResources: "As above.",
  DescribeUserScramCredentials: "As above.",
  DescribeTopicPartitions: "As above, where it is asked for all.",
  DescribeLogDirs: "As above.",
  CreateDelegationToken: "To an owner without a type Kafka answers that it does not know what went wrong.",
  UpdateFeatures: "Version 0 cannot only be asked; levels have a suite of their own.",
  UnregisterBroker: "Kafka's would take itself out of its cluster.",
  ElectLeaders: "As above, where it is asked for all.",
  CreateAcls: "Kafka closes the connection on kinds of resources that there are not.",
  DeleteTopics: "Kafka's broker forgets a topic a moment after its controller has.",
  WriteTxnMarkers: "It ends transactions of any producer, and the times of what it writes are the broker's.",
  StreamsGroupHeartbeat: "Its topologies have a suite of their own.",
}

const UNKNOWN_ID = "AbAAAAAAQACAAAAAAAAAAA"

interface World {
  readonly pools: Pools
}

async function world(side: Side, seed: number): Promise<World> {
  const name = (text: string) => group(`sweep-${seed}-${text}`)
  const [one, many, compacted] = [name("one"), name("many"), name("compacted")]
  const ids = [
    await create(side, one),
    await create(side, many, 3),
    await create(side, compacted, 1, { "cleanup.policy": "compact" }),
  ]
  for (const keyType of [0, 1]) await side.coordinator(name("any"), keyType)
  // Id 0 is what answers hold that have none: nobody here shall have it.
  await side.askSilently(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })
  const topics = [one, many, compacted]
  const noTopics = [name("absent"), "a b", ""]
  const idempotent = { producerId: 5_000_000 + seed, producerEpoch: 0, baseSequence: 0 }
  const pools: Pools = [
    [/^topicId$/, ids, [UNKNOWN_ID]],
    [/^(topic|topicName|name|topicNames)$/, topics, noTopics],
    [/^resourceName$/, topics, [...noTopics, "1", "2"]],
    [/^(groupId|groupIds|groups|groupsNames|key|coordinatorKeys)$/, [name("g"), name("h")], [""]],
    [/transactionalId/i, [name("t"), name("u")], [""]],
    [/^(memberId|groupInstanceId|instanceId)$/, ["", ""], ["m"]],
    [/^(partition|index|partitionIndex|partitions|partitionIndexes)$/, [0, 0, 0, 1], [7, -1]],
    [
      /^records$/,
      [
        batch(["x"]),
        batch([{ key: "k", value: "v" }]),
        batch(["y"], { compression: "gzip" }),
        batch(["i"], idempotent),
        batch(["j", "k"], { ...idempotent, baseSequence: 1 }),
      ],
      [batch([{ key: "k", value: "v" }, { value: "w" }]), batch([]), new Uint8Array(0)],
    ],
    [/^acks$/, [-1, 1]],
    // No batch of a transaction: Kafka remembers of one that is refused which sequence it had.
    [/^timestamp$/, [-1, -2, 0, TIME, TIME + 5, 2 ** 50], [-4, -5, -7]],
    [/^(fetchOffset|offset|committedOffset)$/, [0, 0, 1], [5, -1, -2, 2 ** 40]],
    [/^maxWaitMs$/, [0]],
    [/^(minBytes|maxBytes|partitionMaxBytes)$/, [1, 100, 1_000_000], [0]],
    [/^isolationLevel$/, [0, 1]],
    [/^sessionId$/, [0], [77]],
    [/^sessionEpoch$/, [-1, 0], [1]],
    [/^replicaId$/, [-1]],
    [/^(currentLeaderEpoch|leaderEpoch|lastFetchedEpoch|committedLeaderEpoch)$/, [-1, 0], [1]],
    [/^(timeoutMs|transactionTimeoutMs)$/, [5000, 60_000]],
    [/^validateOnly$/, [true]],
    [/^verifyOnly$/, [true]],
    [/^allowAutoTopicCreation$/, [false]],
    [/^(producerId|v3AndBelowProducerId)$/, [5_000_000 + seed], [-1, 123]],
    [/^(producerEpoch|v3AndBelowProducerEpoch)$/, [0], [-1, 5]],
    [/^(generationIdOrMemberEpoch|generationId|memberEpoch)$/, [-1], [0, 5]],
    [/^(numPartitions|count)$/, [1, 4], [-1, 0]],
    [/^replicas$/, [1], [2, -1]],
    [/^port$/, [1]],
    [/^voterDirectoryId$/, [UNKNOWN_ID], [ZERO_UUID]],
    [/^path$/, ["/nowhere", ""]],
    [/^replicationFactor$/, [-1, 1], [3]],
    [/^assignments$/, []],
    [/^resourceType$/, [2], [8, 32, 0]],
    [/^resourceTypes$/, [4, 8, 16], [0]],
    [/^configOperation$/, [0, 1]],
    [/^configs$/, []],
    [/^value$/, ["1000"], ["compact", "x", "-1"]],
    [/^(logStartOffset|highWatermark|retentionTimeMs)$/, [-1]],
    [/^rackId$/, [""]],
    [/^keyType$/, [0, 1], [3]],
    [/^mechanism$/, ["PLAIN", "x"]],
    [/^(stateFilters|statesFilter|typesFilter)$/, ["Empty", "classic"], ["x"]],
    [/^(resourceNameFilter|principalFilter|hostFilter)$/, ["x", "User:x", "*"]],
    [/(Filter|operation|permissionType|patternType|PatternType)$/, [1, 2, 3]],
  ]
  return { pools }
}

const asked = [...allApis().handlers.values()]
  .map(({ api }) => api as unknown as Api)
  .filter(({ name }) => !Object.hasOwn(NOT_ASKED, name))

/** Before, to ask for a topic creates it, sooner or later. */
const VERSION_NO_CREATION = 4
const SEEDS = Array.from({ length: Number(process.env["MILLRACE_SWEEP_SEEDS"] ?? 10) }, (_, index) => index + 1)
const REQUESTS = 300

for (const seed of SEEDS) {
  compare(`seed ${seed}`, async (side) => {
    const { pools } = await world(side, seed)
    const maker = new RequestMaker(seeded(seed), pools)
    for (let round = 0; round < REQUESTS; round++) {
      const api = maker.pick(asked)
      const version = maker.pick(versionsOf(api))
      const request = maker.of(api, version)
      // All topics, and those of other suites among them.
      if (api === (Metadata as unknown as Api) && (request["topics"] === null || version < VERSION_NO_CREATION))
        continue
      side.scene(`of round ${round}`)
      await side.tell(api, version, request)
    }
  })
}

test("what is not asked is served", () => {
  const names = [...allApis().handlers.values()].map(({ api }) => api.name)
  expect(Object.keys(NOT_ASKED).filter((name) => !names.includes(name))).toEqual([])
  expect(asked).toContain(FindCoordinator)
})
