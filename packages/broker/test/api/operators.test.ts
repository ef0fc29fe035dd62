/** What operators ask, where there is one broker, and half of what a producer has. */
import { ErrorCode } from "@millrace/protocol"
import { AddRaftVoter } from "@millrace/protocol/messages/add-raft-voter"
import { AlterPartitionReassignments } from "@millrace/protocol/messages/alter-partition-reassignments"
import { AlterReplicaLogDirs } from "@millrace/protocol/messages/alter-replica-log-dirs"
import { DescribeLogDirs } from "@millrace/protocol/messages/describe-log-dirs"
import { DescribeProducers } from "@millrace/protocol/messages/describe-producers"
import { DescribeQuorum } from "@millrace/protocol/messages/describe-quorum"
import { ElectLeaders } from "@millrace/protocol/messages/elect-leaders"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { RemoveRaftVoter } from "@millrace/protocol/messages/remove-raft-voter"
import { StreamsGroupTopologyDescriptionUpdate } from "@millrace/protocol/messages/streams-group-topology-description-update"
import { UnregisterBroker } from "@millrace/protocol/messages/unregister-broker"
import { UnregisterController } from "@millrace/protocol/messages/unregister-controller"
import { expect, test } from "vitest"
import { start } from "../harness.ts"

test.each([
  ["nowhere", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ["a b", ErrorCode.INVALID_TOPIC_EXCEPTION],
  ["", ErrorCode.INVALID_TOPIC_EXCEPTION],
])("48: producers of topic %j: %i", async (name, errorCode) => {
  const client = await (await start()).client()
  const { topics } = await client.send(DescribeProducers, 0, { topics: [{ name, partitionIndexes: [0] }] })
  expect(topics[0]!.partitions[0]).toMatchObject({ errorCode })
})

test("the quorum is that of one partition, which nothing else may be asked about with", async () => {
  const client = await (await start()).client()
  const ask = async (...indexes: number[]) => {
    const partitions = indexes.map((partitionIndex) => ({ partitionIndex }))
    const { topics, nodes } = await client.send(DescribeQuorum, 2, {
      topics: [{ topicName: "__cluster_metadata", partitions }],
    })
    return [topics[0]!.partitions.map(({ errorCode }) => errorCode), nodes.length]
  }
  const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  expect(await ask(0)).toEqual([[0], 1])
  expect(await ask(1)).toEqual([[unknown], 0])
  expect(await ask(0, 1)).toEqual([[unknown, unknown], 0])
})

test.each([
  [5, -1],
  [-1, 5],
])("37: producer id %i with epoch %i is half of what a producer has", async (producerId, producerEpoch) => {
  const client = await (await start()).client()
  const request = { transactionalId: null, transactionTimeoutMs: 1000, producerId, producerEpoch }
  expect(await client.send(InitProducerId, 4, request)).toMatchObject({
    ...{ errorCode: ErrorCode.INVALID_REQUEST, producerId: -1, producerEpoch: -1 },
  })
})

test("every partition is led by who should lead it", async () => {
  const client = await (await start()).client()
  await client.createTopic("t", 2)
  const ask = async (topicPartitions: { topic: string; partitions: number[] }[] | null, electionType = 0) => {
    const answer = await client.send(ElectLeaders, 2, { electionType, topicPartitions })
    return [
      answer.errorCode,
      ...answer.replicaElectionResults.map((one) => one.partitionResult.map((r) => r.errorCode)),
    ]
  }
  const [unneeded, unknown] = [ErrorCode.ELECTION_NOT_NEEDED, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
  expect(await ask([{ topic: "t", partitions: [0, 1, 2] }])).toEqual([0, [unneeded, unneeded, unknown]])
  expect(await ask([{ topic: "t", partitions: [0] }], 1)).toEqual([0, [unneeded]])
  expect(await ask([{ topic: "nowhere", partitions: [0] }])).toEqual([0, [unknown]])
  expect(await ask(null)).toEqual([0, []])
  expect(await ask([])).toEqual([0])
  const invalid = ErrorCode.INVALID_REQUEST
  expect(await ask([{ topic: "t", partitions: [0] }], 2)).toEqual([invalid, [invalid]])
})

test.each<[string, number, number[] | null, ErrorCode]>([
  ["to where it is", 0, [1], ErrorCode.NONE],
  ["to nobody", 0, [], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
  ["to a broker that there is not", 0, [2], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
  ["to one broker twice", 0, [1, 1], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
  ["back, though it is not on its way", 0, null, ErrorCode.NO_REASSIGNMENT_IN_PROGRESS],
  ["that there is not", 1, [1], ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
])("a partition is moved %s", async (_, partitionIndex, replicas, errorCode) => {
  const client = await (await start()).client()
  await client.createTopic("t")
  const answer = await client.send(AlterPartitionReassignments, 1, {
    topics: [{ name: "t", partitions: [{ partitionIndex, replicas }] }],
    allowReplicationFactorChange: false,
  })
  expect(answer).toMatchObject({ errorCode: 0, allowReplicationFactorChange: false })
  expect(answer.responses[0]!.partitions).toMatchObject([{ partitionIndex, errorCode }])
})

test("a replica is moved to the directory that it is in, and to no other", async () => {
  const client = await (await start()).client()
  await client.createTopic("t")
  await client.createTopic("l".repeat(249))
  const { results } = await client.send(DescribeLogDirs, 4, { topics: [] })
  const move = async (path: string, name: string, ...partitions: number[]) => {
    const moved = await client.send(AlterReplicaLogDirs, 2, { dirs: [{ path, topics: [{ name, partitions }] }] })
    return moved.results.flatMap((one) => one.partitions.map(({ errorCode }) => errorCode))
  }
  const here = results[0]!.logDir
  expect(await move(here, "t", 0, 1)).toEqual([ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  expect(await move("/elsewhere", "t", 0)).toEqual([ErrorCode.LOG_DIR_NOT_FOUND])
  // Its name would not fit into that of a directory on its way.
  expect(await move(here, "l".repeat(249), 0)).toEqual([ErrorCode.INVALID_TOPIC_EXCEPTION])
})

test("the one node is not taken out of its cluster, and no other is in it", async () => {
  const client = await (await start()).client()
  const brokers = async (brokerId: number) => (await client.send(UnregisterBroker, 0, { brokerId })).errorCode
  expect([await brokers(1), await brokers(2)]).toEqual([ErrorCode.INVALID_REQUEST, ErrorCode.BROKER_ID_NOT_REGISTERED])
  expect((await client.send(ElectLeaders, 2, { topicPartitions: null })).errorCode).toBe(ErrorCode.NONE)
  const controllers = async (controllerId: number) =>
    (await client.send(UnregisterController, 0, { controllerId })).errorCode
  expect([await controllers(1), await controllers(2)]).toEqual([
    ErrorCode.INVALID_REQUEST,
    ErrorCode.CONTROLLER_ID_NOT_REGISTERED,
  ])
})

test.each<[string, object, ErrorCode]>([
  ["a voter", {}, ErrorCode.UNSUPPORTED_VERSION],
  ["a voter of this cluster", { clusterId: "its own" }, ErrorCode.UNSUPPORTED_VERSION],
  ["a voter of another cluster", { clusterId: "other" }, ErrorCode.INCONSISTENT_CLUSTER_ID],
  ["nobody", { voterId: -1 }, ErrorCode.INVALID_REQUEST],
  ["a voter without a directory", { voterDirectoryId: "AAAAAAAAAAAAAAAAAAAAAA" }, ErrorCode.INVALID_REQUEST],
  ["a voter elsewhere", { listeners: [{ name: "X", host: "h", port: 1 }] }, ErrorCode.INVALID_REQUEST],
])("the quorum gets and loses no voters: %s", async (_, change, errorCode) => {
  const started = await start()
  const client = await started.client()
  const listeners = [{ name: "CONTROLLER", host: "h", port: 1 }]
  const voter = { clusterId: null, voterId: 2, voterDirectoryId: "AAAAAAAAAAAAAAAAAAAAAQ", listeners, ...change }
  const request = voter.clusterId === "its own" ? { ...voter, clusterId: started.broker.clusterId } : voter
  expect(await client.send(AddRaftVoter, 1, { timeoutMs: 1000, ...request })).toMatchObject({ errorCode })
  if ("listeners" in change) return
  expect(await client.send(RemoveRaftVoter, 0, request)).toMatchObject({ errorCode })
})

test("descriptions of topologies are not kept", async () => {
  const client = await (await start()).client()
  const answer = await client.send(StreamsGroupTopologyDescriptionUpdate, 0, {
    ...{ groupId: "g", memberId: "m", topologyEpoch: 0, topologyDescription: { subtopologies: [], globalStores: [] } },
  })
  expect(answer.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
})

test("how much room the device has is told from version 4 on (KIP-827)", async () => {
  const client = await (await start()).client()
  const space = async (version: number) => {
    const { totalBytes, usableBytes } = (await client.send(DescribeLogDirs, version, { topics: [] })).results[0]!
    return { totalBytes, usableBytes }
  }
  expect(await space(3)).toEqual({ totalBytes: -1, usableBytes: -1 })
  const { totalBytes, usableBytes } = await space(4)
  expect(totalBytes).toBeGreaterThan(0)
  expect(usableBytes).toBeLessThanOrEqual(totalBytes)
})
