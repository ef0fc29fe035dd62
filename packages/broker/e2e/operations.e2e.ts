/** What operators ask a broker, beside a real Apache Kafka without an authorizer. Numbers in names are rows of the semantics. */
import { AddRaftVoter } from "@millrace/protocol/messages/add-raft-voter"
import { CreateAcls } from "@millrace/protocol/messages/create-acls"
import { DeleteAcls } from "@millrace/protocol/messages/delete-acls"
import { DescribeAcls } from "@millrace/protocol/messages/describe-acls"
import { CreateDelegationToken } from "@millrace/protocol/messages/create-delegation-token"
import { DescribeDelegationToken } from "@millrace/protocol/messages/describe-delegation-token"
import { DescribeLogDirs } from "@millrace/protocol/messages/describe-log-dirs"
import { DescribeProducers } from "@millrace/protocol/messages/describe-producers"
import { DescribeQuorum } from "@millrace/protocol/messages/describe-quorum"
import { DescribeTransactions } from "@millrace/protocol/messages/describe-transactions"
import { ExpireDelegationToken } from "@millrace/protocol/messages/expire-delegation-token"
import { ListPartitionReassignments } from "@millrace/protocol/messages/list-partition-reassignments"
import { ListTransactions } from "@millrace/protocol/messages/list-transactions"
import { RemoveRaftVoter } from "@millrace/protocol/messages/remove-raft-voter"
import { RenewDelegationToken } from "@millrace/protocol/messages/renew-delegation-token"
import { SaslAuthenticate } from "@millrace/protocol/messages/sasl-authenticate"
import { SaslHandshake } from "@millrace/protocol/messages/sasl-handshake"
import { StreamsGroupTopologyDescriptionUpdate } from "@millrace/protocol/messages/streams-group-topology-description-update"
import { UnregisterBroker } from "@millrace/protocol/messages/unregister-broker"
import { UnregisterController } from "@millrace/protocol/messages/unregister-controller"
import { AlterUserScramCredentials } from "@millrace/protocol/messages/alter-user-scram-credentials"
import { DescribeUserScramCredentials } from "@millrace/protocol/messages/describe-user-scram-credentials"
import { ZERO_UUID } from "@millrace/protocol"
import { batch, create, produce, versionsOf } from "./broker-topics.ts"
import { bytes, compare, differs, group, oracle } from "./oracle.ts"

oracle()

const SECURITY_DISABLED = 54

compare("104: without an authorizer there are no rules", async (side) => {
  for (const version of versionsOf(DescribeAcls)) {
    const filter = {
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      patternTypeFilter: 1,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    }
    await side.tell(DescribeAcls, version, filter as never)
  }
  for (const version of versionsOf(CreateAcls)) {
    const creation = {
      resourceType: 2,
      resourceName: "t",
      resourcePatternType: 3,
      principal: "User:a",
      host: "*",
      operation: 3,
      permissionType: 3,
    }
    await side.tell(CreateAcls, version, { creations: [creation] } as never)
    await side.tell(CreateAcls, version, { creations: [] } as never)
  }
  for (const version of versionsOf(DeleteAcls)) {
    const filter = {
      resourceTypeFilter: 2,
      resourceNameFilter: "t",
      patternTypeFilter: 3,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    }
    await side.tell(DeleteAcls, version, { filters: [filter, filter] } as never)
    await side.tell(DeleteAcls, version, { filters: [] } as never)
  }
})

const anyRule = {
  ...{ resourceTypeFilter: 0, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null },
  ...{ hostFilter: null, operation: 1, permissionType: 1 },
}

differs(
  "Kafka closes the connection on a kind of resource that there is not",
  async (side) => (await side.tell(DescribeAcls, 3, anyRule as never))?.errorCode,
  { ours: SECURITY_DISABLED, kafkas: undefined },
)

compare("103: SASL on a listener without it", async (side) => {
  for (const version of versionsOf(SaslHandshake)) {
    for (const mechanism of ["PLAIN", "", "nonsense"]) await side.tell(SaslHandshake, version, { mechanism })
  }
  for (const version of versionsOf(SaslAuthenticate))
    await side.tell(SaslAuthenticate, version, { authBytes: bytes("x") })
})

compare("all versions of DescribeLogDirs", async (side) => {
  const name = group("log-dirs")
  await create(side, name, 2)
  await produce(side, name, batch(["a"]))
  for (const version of versionsOf(DescribeLogDirs)) {
    const ask = async (topics: object[] | null) => {
      const answer = await side.askSilently(DescribeLogDirs, version, { topics } as never)
      const results = answer.results.map(({ errorCode, topics: found, isCordoned, totalBytes, usableBytes }) => ({
        ...{ errorCode, isCordoned, hasSpace: totalBytes > 0, isUsable: usableBytes > 0 && usableBytes < totalBytes },
        topics: found
          .filter((topic) => topic.name === name)
          .map(({ partitions }) => partitions.map((one) => one).sort((a, b) => a.partitionIndex - b.partitionIndex)),
      }))
      side.note("directories", [version, topics, answer.errorCode, results])
    }
    await ask(null)
    await ask([])
    await ask([{ topic: name, partitions: [0, 1] }])
    await ask([{ topic: name, partitions: [1] }])
    await ask([{ topic: name, partitions: [7] }])
    await ask([{ topic: name, partitions: [] }])
    await ask([{ topic: group("absent"), partitions: [0] }])
  }
})

compare("48: producers of partitions", async (side) => {
  const name = group("producers")
  await create(side, name, 2)
  const options = { producerId: 2_000_000, producerEpoch: 3, baseSequence: 7 }
  await produce(side, name, batch(["a", "b"], options))
  await produce(side, name, batch(["c"], { ...options, baseSequence: 9 }))
  const ask = (topics: object[]) => side.tell(DescribeProducers, 0, { topics } as never)
  await ask([{ name, partitionIndexes: [0, 1, 2, -1] }])
  await ask([{ name: group("absent"), partitionIndexes: [0] }])
  await ask([{ name: "a b", partitionIndexes: [0] }])
  await ask([{ name: "", partitionIndexes: [0] }])
  await ask([])
  await ask([{ name, partitionIndexes: [] }])
  await ask([{ name, partitionIndexes: [0, 0] }])
})

compare("48: lists and descriptions of transactions", async (side) => {
  await side.coordinator(group("any"), 1)
  for (const version of versionsOf(ListTransactions)) {
    const ask = async (filters: object) => {
      const request = { stateFilters: ["Ongoing"], producerIdFilters: [999_999], ...filters }
      await side.tell(ListTransactions, version, request as never)
    }
    await ask({})
    await ask({ stateFilters: ["Nonsense", "ongoing", ""] })
    await ask({ stateFilters: ["PrepareEpochFence", "Dead", "Empty"] })
    await ask({ producerIdFilters: [-1] })
    if (version >= 1) for (const durationFilter of [-1, 0, -2, 2 ** 40]) await ask({ durationFilter })
    if (version >= 2)
      for (const transactionalIdPattern of [null, "", "a.*", "(", "a(?=b)"]) await ask({ transactionalIdPattern })
  }
  for (const transactionalIds of [
    [],
    [""],
    [group("absent")],
    ["ä", "x".repeat(1000)],
    [group("absent"), group("absent")],
  ]) {
    await side.tell(DescribeTransactions, 0, { transactionalIds })
  }
})

compare("reassignments that there are none of", async (side) => {
  const name = group("reassigned")
  await create(side, name)
  for (const topics of [
    null,
    [],
    [{ name, partitionIndexes: [0] }],
    [{ name, partitionIndexes: [] }],
    [{ name: group("absent"), partitionIndexes: [0] }],
    [{ name: "", partitionIndexes: [0] }],
  ]) {
    await side.tell(ListPartitionReassignments, 0, { topics, timeoutMs: 5000 })
  }
})

compare("all versions of DescribeQuorum", async (side) => {
  for (const version of versionsOf(DescribeQuorum)) {
    const ask = async (topics: object[]) => {
      const answer = await side.askSilently(DescribeQuorum, version, { topics } as never)
      const found = answer.topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(
          ({ partitionIndex, errorCode, leaderEpoch, highWatermark, currentVoters, observers }) => ({
            ...{ partitionIndex, errorCode, hasEpoch: leaderEpoch > 0, isWritten: highWatermark > 0 },
            ...{ voters: currentVoters.length, observers: observers.length },
          }),
        ),
      }))
      side.note("quorum", [version, topics, answer.errorCode, found, answer.nodes.length])
    }
    await ask([{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }])
    await ask([{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 1 }] }])
    await ask([{ topicName: "__cluster_metadata", partitions: [] }])
    await ask([{ topicName: "other", partitions: [{ partitionIndex: 0 }] }])
    await ask([])
  }
})

compare("users of SCRAM", async (side) => {
  const user = group("scram")
  const describe = (users: { name: string }[] | null) => side.tell(DescribeUserScramCredentials, 0, { users })
  const alter = (upsertions: object[], deletions: object[] = []) =>
    side.tell(AlterUserScramCredentials, 0, { deletions, upsertions } as never)
  const upsert = { name: user, mechanism: 1, iterations: 4096, salt: bytes("salt"), saltedPassword: bytes("password") }
  await describe([{ name: user }])
  await alter([], [{ name: user, mechanism: 1 }])
  for (const bad of [
    { name: "" },
    { mechanism: 0 },
    { mechanism: 3 },
    { iterations: 4095 },
    { iterations: 16_385 },
    { iterations: 0 },
  ]) {
    await alter([{ ...upsert, ...bad }])
  }
  await alter([upsert, upsert])
  await alter([{ ...upsert, salt: bytes("") }])
  await alter([])
  await alter([upsert, { ...upsert, mechanism: 2, iterations: 8192 }])
  await alter([upsert])
  await alter([{ ...upsert, mechanism: 2, iterations: 8192 }])
  for (;;) {
    const { results } = await side.askSilently(DescribeUserScramCredentials, 0, { users: [{ name: user }] })
    if (results[0]?.credentialInfos.length === 2) break
  }
  await describe([{ name: user }, { name: group("nobody") }])
  await alter([upsert], [{ name: user, mechanism: 1 }])
  await describe([{ name: user }, { name: user }])
  await describe([{ name: "" }])
  await alter(
    [],
    [
      { name: user, mechanism: 1 },
      { name: user, mechanism: 2 },
    ],
  )
  await alter([], [{ name: "", mechanism: 1 }])
})

compare("nodes that there are not leave a cluster, and its controller does not", async (side) => {
  // Not the broker itself: Kafka's would be of no use to anybody until it is started again.
  for (const brokerId of [2, -1, 0]) await side.tell(UnregisterBroker, 0, { brokerId })
  for (const controllerId of [1, 2, -1]) await side.tell(UnregisterController, 0, { controllerId })
})

compare("a quorum whose voters do not change", async (side) => {
  const directory = "AbAAAAAAQACAAAAAAAAAAA"
  const listener = (name: string) => ({ name, host: "localhost", port: 1 })
  const voter = { clusterId: null, voterId: 2, voterDirectoryId: directory, listeners: [listener("CONTROLLER")] }
  for (const change of [
    {},
    { voterId: 1 },
    { voterId: -1 },
    { voterDirectoryId: ZERO_UUID },
    { clusterId: "other" },
    { clusterId: "" },
    { clusterId: "other", voterId: -1 },
    { listeners: [] },
    { listeners: [listener("OTHER")] },
    { listeners: [listener("OTHER"), listener("CONTROLLER")] },
  ]) {
    for (const version of versionsOf(AddRaftVoter))
      await side.tell(AddRaftVoter, version, { timeoutMs: 1000, ...voter, ...change } as never)
    const { listeners: _, ...removed } = { ...voter, ...change }
    await side.tell(RemoveRaftVoter, 0, removed)
  }
})

compare("descriptions of topologies, which nobody asked for", async (side) => {
  const node = { name: "n", nodeType: 1, sourceTopics: ["t"], stores: [], successors: [] }
  const topologyDescription = { subtopologies: [{ subtopologyId: "0", nodes: [node] }], globalStores: [] }
  for (const [groupId, memberId] of [
    [group("streams"), "m"],
    ["", "m"],
    [group("streams"), ""],
  ] as const) {
    const update = { groupId, memberId, topologyEpoch: 0, topologyDescription }
    await side.tell(StreamsGroupTopologyDescriptionUpdate, 0, update as never)
  }
})

compare("delegation tokens on a listener where nobody is known", async (side) => {
  for (const version of versionsOf(CreateDelegationToken)) {
    const ask = (more: object) =>
      side.tell(CreateDelegationToken, version, { renewers: [], maxLifetimeMs: -1, ...more } as never)
    if (version < 3) {
      await ask({})
      await ask({ renewers: [{ principalType: "Group", principalName: "g" }] })
    } else {
      await ask({ ownerPrincipalType: null, ownerPrincipalName: null })
      await ask({ ownerPrincipalType: "User", ownerPrincipalName: "alice" })
    }
  }
  const hmac = bytes("x")
  for (const version of versionsOf(RenewDelegationToken)) {
    await side.tell(RenewDelegationToken, version, { hmac, renewPeriodMs: -1 })
    await side.tell(ExpireDelegationToken, version, { hmac, expiryTimePeriodMs: -1 })
  }
  for (const version of versionsOf(DescribeDelegationToken))
    await side.tell(DescribeDelegationToken, version, { owners: null })
})
