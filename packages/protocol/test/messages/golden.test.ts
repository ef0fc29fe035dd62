/** Bytes that Kafka's own classes wrote (kafka-clients and coordinators 4.4.0), read and written again by ours. */
import { describe, expect, it } from "vitest"
import { RequestHeader } from "../../src/messages/headers.ts"
import { AlterClientQuotas } from "../../src/messages/alter-client-quotas.ts"
import { ApiVersions } from "../../src/messages/api-versions.ts"
import { DescribeTopicPartitions } from "../../src/messages/describe-topic-partitions.ts"
import { Fetch } from "../../src/messages/fetch.ts"
import { JoinGroup } from "../../src/messages/join-group.ts"
import { Metadata } from "../../src/messages/metadata.ts"
import { Produce } from "../../src/messages/produce.ts"
import { ConsumerGroupMemberMetadataValue } from "../../src/records/consumer-group.ts"
import { OffsetCommitValue } from "../../src/records/offset-commit.ts"
import { PartitionRecord } from "../../src/records/partition.ts"
import { TransactionLogValue } from "../../src/records/transaction-log.ts"
import { ZERO_UUID } from "../../src/bytes/uuid.ts"
import { decode, encode } from "../../src/schema/codec.ts"
import type { Message } from "../../src/schema/message.ts"

const topicId = "4vPqn5fBRMCVlmFzTmVB3g"
const features = {
  supportedFeatures: [{ name: "transaction.version", minVersion: 0, maxVersion: 2 }],
  finalizedFeaturesEpoch: 7,
  finalizedFeatures: [{ name: "transaction.version", maxVersionLevel: 2, minVersionLevel: 2 }],
}
const apiKeys = [
  { apiKey: 0, minVersion: 0, maxVersion: 13 },
  { apiKey: 18, minVersion: 0, maxVersion: 5 },
]
const metadata = {
  brokers: [{ nodeId: 1, host: "localhost", port: 9092, rack: null }],
  clusterId: "c1",
  controllerId: 1,
  topics: [
    {
      name: "flights",
      partitions: [{ partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1], offlineReplicas: [] }],
    },
  ],
}
const fetch = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 52428800,
  isolationLevel: 1,
  topics: [{ partitions: [{ partition: 2, fetchOffset: 4294967301, partitionMaxBytes: 1048576 }] }],
}
const join = {
  groupId: "g",
  sessionTimeoutMs: 45000,
  rebalanceTimeoutMs: 300000,
  memberId: "",
  protocolType: "consumer",
  protocols: [{ name: "range", metadata: Buffer.from([0, 1]) }],
}

const vectors: [Message, number, string, object][] = [
  [ApiVersions.response, 0, "00000000000200000000000d001200000005", { errorCode: 0, apiKeys }],
  [
    ApiVersions.response,
    4,
    "00000300000000000d00001200000005000000000003001a02147472616e73616374696f6e2e76657273696f6e000000020001080000000000" +
      "000007021a02147472616e73616374696f6e2e76657273696f6e0002000200",
    { errorCode: 0, apiKeys, ...features },
  ],
  [
    Metadata.response,
    5,
    "00000000000000010000000100096c6f63616c686f737400002384ffff00026331000000010000000100000007666c696768747300000000010000" +
      "00000000000000010000000100000001000000010000000100000000",
    metadata,
  ],
  [
    Metadata.response,
    13,
    "0000000002000000010a6c6f63616c686f73740000238400000363310000000102000008666c6967687473e2f3ea9f97c144c0959661734e6541de" +
      "000200000000000000000001000000030200000001020000000101008000000000000000",
    { ...metadata, topics: [{ topicId, partitions: [{ leaderEpoch: 3 }] }] },
  ],
  [
    Fetch.request,
    18,
    "000001f400000001032000000100000000ffffffff02e2f3ea9f97c144c0959661734e6541de0200000002000000030000000100000005ffffffff" +
      "ffffffffffffffff00100000010108000000000000000900010100",
    { ...fetch, topics: [{ topicId, partitions: [{ currentLeaderEpoch: 3, highWatermark: 9 }] }] },
  ],
  [
    Fetch.request,
    4,
    "ffffffff000001f4000000010320000001000000010007666c69676874730000000100000002000000010000000500100000",
    fetch,
  ],
  [JoinGroup.request, 5, "0001670000afc8000493e00000ffff0008636f6e73756d657200000001000572616e6765000000020001", join],
  [
    JoinGroup.request,
    9,
    "02670000afc8000493e0010009636f6e73756d6572020672616e676503000100096772c3b6c39f657200",
    { ...join, reason: "größer" },
  ],
  [
    DescribeTopicPartitions.request,
    0,
    "02027400000007d0ff00",
    { topics: [{ name: "t" }], responsePartitionLimit: 2000, cursor: null },
  ],
  [
    DescribeTopicPartitions.request,
    0,
    "02027400000007d0010274000000040000",
    { topics: [{ name: "t" }], cursor: { topicName: "t", partitionIndex: 4 } },
  ],
  [
    PartitionRecord,
    2,
    "00000001e2f3ea9f97c144c0959661734e6541de030000000100000002020000000101010000000100000000000000000" +
      "3e2f3ea9f97c144c0959661734e6541de000000000000000000000000000000000101050200000002",
    {
      partitionId: 1,
      topicId,
      replicas: [1, 2],
      isr: [1],
      leader: 1,
      directories: [topicId, ZERO_UUID],
      eligibleLeaderReplicas: [2],
      lastKnownElr: null,
    },
  ],
  [
    TransactionLogValue,
    1,
    "00000000000003e800020000ea600102046f7574030000000000000003000000018bcfe568000000018bcfe568000102020002",
    {
      producerId: 1000,
      producerEpoch: 2,
      transactionTimeoutMs: 60000,
      transactionStatus: 1,
      transactionPartitions: [{ topic: "out", partitionIds: [0, 3] }],
      transactionLastUpdateTimestampMs: 1700000000000,
      clientTransactionVersion: 2,
    },
  ],
  [
    OffsetCommitValue,
    3,
    "000000000000002affffffff00000000018bcfe56800",
    { offset: 42, leaderEpoch: -1, metadata: "", commitTimestamp: 1700000000000 },
  ],
  [
    ConsumerGroupMemberMetadataValue,
    0,
    "000001010101ffffffff0101000100",
    { instanceId: null, rackId: null, rebalanceTimeoutMs: -1, classicMemberMetadata: null },
  ],
  [
    AlterClientQuotas.request,
    1,
    "020205757365720000021370726f64756365725f627974655f726174654136e360000000000000000000",
    {
      entries: [
        { entity: [{ entityType: "user", entityName: null }], ops: [{ key: "producer_byte_rate", value: 1.5e6 }] },
      ],
    },
  ],
  [RequestHeader, 2, "0003000c0000000700016300", { requestApiKey: 3, correlationId: 7, clientId: "c" }],
  [
    Produce.request,
    13,
    "00ffff0000753002e2f3ea9f97c144c0959661734e6541de020000000004010203000000",
    {
      acks: -1,
      timeoutMs: 30000,
      topicData: [{ topicId, partitionData: [{ index: 0, records: Buffer.from([1, 2, 3]) }] }],
    },
  ],
]

describe("bytes that Kafka wrote", () => {
  it.each(vectors.map(([message, version, hex, value]) => [message.name, version, message, hex, value] as const))(
    "%s v%i",
    (_name, version, message, hex, value) => {
      const decoded = decode(message, version, Buffer.from(hex, "hex"))
      expect(decoded).toMatchObject(value)
      expect(Buffer.from(encode(message, version, decoded)).toString("hex")).toBe(hex)
    },
  )
})
