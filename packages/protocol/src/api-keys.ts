/**
 * Every API key that Kafka 4.x serves, with its versions: the part of the message table that is needed before a message
 * is (headers, ApiVersions, dispatch), so it loads without the messages. Keys 4-7 went away in 4.0 and are never
 * advertised. Broker-side bounds differ in one place: Produce is advertised from 0 though 0-2 are refused (KAFKA-18659).
 */
export interface ApiVersionRange {
  readonly key: number
  readonly min: number
  readonly max: number
  /** First flexible version (KIP-482). */
  readonly flexibleFrom: number
  /** A last version that Kafka holds back: not advertised unless unstable versions are enabled. */
  readonly latestUnstable?: number
}

/** More than any version: the API has no flexible version. */
export const NO_FLEXIBLE_VERSION = 0x7fff

function row(key: number, min: number, max: number, flexibleFrom: number, latestUnstable?: number): ApiVersionRange {
  return latestUnstable === undefined
    ? { key, min, max, flexibleFrom }
    : { key, min, max, flexibleFrom, latestUnstable }
}

const none = NO_FLEXIBLE_VERSION

export const apiKeys = {
  // key, min, max, flexible from
  Produce: row(0, 3, 13, 9),
  Fetch: row(1, 4, 18, 12),
  ListOffsets: row(2, 1, 11, 6),
  Metadata: row(3, 0, 13, 9),
  OffsetCommit: row(8, 2, 10, 8),
  OffsetFetch: row(9, 1, 10, 6),
  FindCoordinator: row(10, 0, 6, 3),
  JoinGroup: row(11, 0, 9, 6),
  Heartbeat: row(12, 0, 4, 4),
  LeaveGroup: row(13, 0, 5, 4),
  SyncGroup: row(14, 0, 5, 4),
  DescribeGroups: row(15, 0, 6, 5),
  ListGroups: row(16, 0, 5, 3),
  SaslHandshake: row(17, 0, 1, none),
  ApiVersions: row(18, 0, 5, 3),
  CreateTopics: row(19, 2, 7, 5),
  DeleteTopics: row(20, 1, 6, 4),
  DeleteRecords: row(21, 0, 2, 2),
  InitProducerId: row(22, 0, 6, 2, 6),
  OffsetForLeaderEpoch: row(23, 2, 4, 4),
  AddPartitionsToTxn: row(24, 0, 5, 3),
  AddOffsetsToTxn: row(25, 0, 4, 3),
  EndTxn: row(26, 0, 5, 3),
  WriteTxnMarkers: row(27, 1, 2, 1),
  TxnOffsetCommit: row(28, 0, 6, 3),
  DescribeAcls: row(29, 1, 3, 2),
  CreateAcls: row(30, 1, 3, 2),
  DeleteAcls: row(31, 1, 3, 2),
  DescribeConfigs: row(32, 1, 4, 4),
  AlterConfigs: row(33, 0, 2, 2),
  AlterReplicaLogDirs: row(34, 1, 2, 2),
  DescribeLogDirs: row(35, 1, 5, 2),
  SaslAuthenticate: row(36, 0, 2, 2),
  CreatePartitions: row(37, 0, 3, 2),
  CreateDelegationToken: row(38, 1, 3, 2),
  RenewDelegationToken: row(39, 1, 2, 2),
  ExpireDelegationToken: row(40, 1, 2, 2),
  DescribeDelegationToken: row(41, 1, 3, 2),
  DeleteGroups: row(42, 0, 3, 2),
  ElectLeaders: row(43, 0, 2, 2),
  IncrementalAlterConfigs: row(44, 0, 1, 1),
  AlterPartitionReassignments: row(45, 0, 1, 0),
  ListPartitionReassignments: row(46, 0, 0, 0),
  OffsetDelete: row(47, 0, 0, none),
  DescribeClientQuotas: row(48, 0, 1, 1),
  AlterClientQuotas: row(49, 0, 1, 1),
  DescribeUserScramCredentials: row(50, 0, 0, 0),
  AlterUserScramCredentials: row(51, 0, 0, 0),
  Vote: row(52, 0, 2, 0),
  BeginQuorumEpoch: row(53, 0, 1, 1),
  EndQuorumEpoch: row(54, 0, 1, 1),
  DescribeQuorum: row(55, 0, 2, 0),
  AlterPartition: row(56, 2, 3, 0),
  UpdateFeatures: row(57, 0, 2, 0),
  Envelope: row(58, 0, 0, 0),
  FetchSnapshot: row(59, 0, 1, 0),
  DescribeCluster: row(60, 0, 2, 0),
  DescribeProducers: row(61, 0, 0, 0),
  BrokerRegistration: row(62, 0, 4, 0),
  BrokerHeartbeat: row(63, 0, 2, 0),
  UnregisterBroker: row(64, 0, 0, 0),
  DescribeTransactions: row(65, 0, 0, 0),
  ListTransactions: row(66, 0, 2, 0),
  AllocateProducerIds: row(67, 0, 0, 0),
  ConsumerGroupHeartbeat: row(68, 0, 1, 0),
  ConsumerGroupDescribe: row(69, 0, 1, 0),
  ControllerRegistration: row(70, 0, 0, 0),
  GetTelemetrySubscriptions: row(71, 0, 0, 0),
  PushTelemetry: row(72, 0, 0, 0),
  AssignReplicasToDirs: row(73, 0, 0, 0),
  ListConfigResources: row(74, 0, 1, 0),
  DescribeTopicPartitions: row(75, 0, 0, 0),
  ShareGroupHeartbeat: row(76, 1, 1, 0),
  ShareGroupDescribe: row(77, 1, 1, 0),
  ShareFetch: row(78, 1, 2, 0),
  ShareAcknowledge: row(79, 1, 2, 0),
  AddRaftVoter: row(80, 0, 1, 0),
  RemoveRaftVoter: row(81, 0, 0, 0),
  UpdateRaftVoter: row(82, 0, 0, 0),
  InitializeShareGroupState: row(83, 0, 0, 0),
  ReadShareGroupState: row(84, 0, 0, 0),
  WriteShareGroupState: row(85, 0, 1, 0),
  DeleteShareGroupState: row(86, 0, 0, 0),
  ReadShareGroupStateSummary: row(87, 0, 1, 0),
  StreamsGroupHeartbeat: row(88, 0, 1, 0),
  StreamsGroupDescribe: row(89, 0, 1, 0),
  DescribeShareGroupOffsets: row(90, 0, 1, 0),
  AlterShareGroupOffsets: row(91, 0, 0, 0),
  DeleteShareGroupOffsets: row(92, 0, 0, 0),
  StreamsGroupTopologyDescriptionUpdate: row(93, 0, 0, 0),
  UnregisterController: row(94, 0, 0, 0),
} as const satisfies Record<string, ApiVersionRange>

/** Name of an API, as Kafka spells it. */
export type ApiName = keyof typeof apiKeys

interface NamedRange extends ApiVersionRange {
  readonly name: ApiName
}

const byKey: (NamedRange | undefined)[] = []
for (const [name, range] of Object.entries(apiKeys) as [ApiName, ApiVersionRange][])
  byKey[range.key] = { name, ...range }

/** Name and versions of the API with this key; undefined for keys that Kafka 4.x does not serve. */
export function apiOfKey(key: number): NamedRange | undefined {
  return byKey[key]
}
