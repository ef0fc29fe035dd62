/**
 * Data records by where they are stored. Who handles only some imports those one by one.
 *
 * Group and transaction records come as pairs of key and value under one type (`coordinator-record.ts`); metadata
 * records have a type and no key (`metadata-record.ts`); the rest stands in files, control records and requests.
 */
import type { Message, RecordMessage } from "../schema/message.ts"
import { AccessControlEntryRecord, RemoveAccessControlEntryRecord } from "./access-control-entry.ts"
import {
  BrokerRegistrationChangeRecord,
  FenceBrokerRecord,
  RegisterBrokerRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
} from "./broker-registration.ts"
import { ClearElrRecord } from "./clear-elr.ts"
import { ClientQuotaRecord } from "./client-quota.ts"
import { ConfigRecord } from "./config.ts"
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
} from "./consumer-group.ts"
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from "./consumer-group-assignment.ts"
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from "./consumer-protocol.ts"
import { RegisterControllerRecord, UnregisterControllerRecord } from "./controller-registration.ts"
import { DefaultPrincipalData } from "./default-principal.ts"
import { DelegationTokenRecord, RemoveDelegationTokenRecord } from "./delegation-token.ts"
import { AbortedTxn, ControlRecordTypeSchema, EndTxnMarker } from "./end-txn-marker.ts"
import { FeatureLevelRecord } from "./feature-level.ts"
import { GroupMetadataKey, GroupMetadataValue } from "./group-metadata.ts"
import { LeaderChangeMessage } from "./leader-change.ts"
import { AbortTransactionRecord, BeginTransactionRecord, EndTransactionRecord } from "./metadata-transaction.ts"
import { NoOpRecord } from "./no-op.ts"
import { LegacyOffsetCommitKey, LegacyOffsetCommitValue, OffsetCommitKey, OffsetCommitValue } from "./offset-commit.ts"
import { PartitionChangeRecord, PartitionRecord } from "./partition.ts"
import { ProducerIdsRecord } from "./producer-ids.ts"
import { ProducerSnapshot } from "./producer-snapshot.ts"
import { QuorumStateData } from "./quorum-state.ts"
import {
  RemoteLogSegmentMetadataRecord,
  RemoteLogSegmentMetadataSnapshotRecord,
  RemoteLogSegmentMetadataUpdateRecord,
  RemotePartitionDeleteMetadataRecord,
} from "./remote-log-metadata.ts"
import { RemoveUserScramCredentialRecord, UserScramCredentialRecord } from "./scram-credential.ts"
import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
  ShareGroupMetadataKey,
  ShareGroupMetadataValue,
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
} from "./share-group.ts"
import { ShareSnapshotKey, ShareSnapshotValue, ShareUpdateKey, ShareUpdateValue } from "./share-state.ts"
import { SnapshotFooterRecord, SnapshotHeaderRecord } from "./snapshot.ts"
import {
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
  StreamsGroupMetadataKey,
  StreamsGroupMetadataValue,
  StreamsGroupTopologyKey,
  StreamsGroupTopologyValue,
} from "./streams-group.ts"
import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
} from "./streams-group-assignment.ts"
import { RemoveTopicRecord, TopicRecord } from "./topic.ts"
import { TransactionLogKey, TransactionLogValue } from "./transaction-log.ts"
import { KRaftVersionRecord, VotersRecord } from "./voters.ts"
import { ZkMigrationStateRecord } from "./zk-migration.ts"

export interface CoordinatorRecord {
  readonly key: RecordMessage
  readonly value: RecordMessage
}

function byType(pairs: CoordinatorRecord[]): ReadonlyMap<number, CoordinatorRecord> {
  return new Map(pairs.map((pair) => [pair.key.key, pair]))
}

/** Records of `__consumer_offsets` by type. */
export const groupRecords = byType([
  { key: LegacyOffsetCommitKey, value: LegacyOffsetCommitValue },
  { key: OffsetCommitKey, value: OffsetCommitValue },
  { key: GroupMetadataKey, value: GroupMetadataValue },
  { key: ConsumerGroupMetadataKey, value: ConsumerGroupMetadataValue },
  { key: ConsumerGroupPartitionMetadataKey, value: ConsumerGroupPartitionMetadataValue },
  { key: ConsumerGroupMemberMetadataKey, value: ConsumerGroupMemberMetadataValue },
  { key: ConsumerGroupTargetAssignmentMetadataKey, value: ConsumerGroupTargetAssignmentMetadataValue },
  { key: ConsumerGroupTargetAssignmentMemberKey, value: ConsumerGroupTargetAssignmentMemberValue },
  { key: ConsumerGroupCurrentMemberAssignmentKey, value: ConsumerGroupCurrentMemberAssignmentValue },
  { key: ShareGroupMemberMetadataKey, value: ShareGroupMemberMetadataValue },
  { key: ShareGroupMetadataKey, value: ShareGroupMetadataValue },
  { key: ShareGroupTargetAssignmentMetadataKey, value: ShareGroupTargetAssignmentMetadataValue },
  { key: ShareGroupTargetAssignmentMemberKey, value: ShareGroupTargetAssignmentMemberValue },
  { key: ShareGroupCurrentMemberAssignmentKey, value: ShareGroupCurrentMemberAssignmentValue },
  { key: ShareGroupStatePartitionMetadataKey, value: ShareGroupStatePartitionMetadataValue },
  { key: ConsumerGroupRegularExpressionKey, value: ConsumerGroupRegularExpressionValue },
  { key: StreamsGroupMetadataKey, value: StreamsGroupMetadataValue },
  { key: StreamsGroupMemberMetadataKey, value: StreamsGroupMemberMetadataValue },
  { key: StreamsGroupTargetAssignmentMetadataKey, value: StreamsGroupTargetAssignmentMetadataValue },
  { key: StreamsGroupTargetAssignmentMemberKey, value: StreamsGroupTargetAssignmentMemberValue },
  { key: StreamsGroupCurrentMemberAssignmentKey, value: StreamsGroupCurrentMemberAssignmentValue },
  { key: StreamsGroupTopologyKey, value: StreamsGroupTopologyValue },
])

/** Records of `__transaction_state` by type. */
export const transactionRecords = byType([{ key: TransactionLogKey, value: TransactionLogValue }])

/** Records of `__share_group_state` by type. */
export const shareStateRecords = byType([
  { key: ShareSnapshotKey, value: ShareSnapshotValue },
  { key: ShareUpdateKey, value: ShareUpdateValue },
])

/** Records of `__cluster_metadata` by type. */
export const metadataRecords: ReadonlyMap<number, RecordMessage> = new Map(
  [
    RegisterBrokerRecord,
    UnregisterBrokerRecord,
    TopicRecord,
    PartitionRecord,
    ConfigRecord,
    PartitionChangeRecord,
    FenceBrokerRecord,
    UnfenceBrokerRecord,
    RemoveTopicRecord,
    DelegationTokenRecord,
    UserScramCredentialRecord,
    FeatureLevelRecord,
    ClientQuotaRecord,
    ProducerIdsRecord,
    BrokerRegistrationChangeRecord,
    AccessControlEntryRecord,
    RemoveAccessControlEntryRecord,
    NoOpRecord,
    ZkMigrationStateRecord,
    RemoveUserScramCredentialRecord,
    BeginTransactionRecord,
    EndTransactionRecord,
    AbortTransactionRecord,
    RemoveDelegationTokenRecord,
    RegisterControllerRecord,
    ClearElrRecord,
    UnregisterControllerRecord,
  ].map((record: RecordMessage) => [record.key, record]),
)

/** Records of `__remote_log_metadata` by type. */
export const remoteLogRecords: ReadonlyMap<number, RecordMessage> = new Map(
  [
    RemoteLogSegmentMetadataRecord,
    RemoteLogSegmentMetadataUpdateRecord,
    RemotePartitionDeleteMetadataRecord,
    RemoteLogSegmentMetadataSnapshotRecord,
  ].map((record: RecordMessage) => [record.key, record]),
)

/** Messages of control records, files and opaque fields. */
export const dataMessages: readonly Message[] = [
  AbortedTxn,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  ControlRecordTypeSchema,
  DefaultPrincipalData,
  EndTxnMarker,
  KRaftVersionRecord,
  LeaderChangeMessage,
  ProducerSnapshot,
  QuorumStateData,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
]
