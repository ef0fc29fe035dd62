/**
 * Kafka client: producer, consumer, admin; for Apache Kafka and for Millrace's own broker alike.
 */
export { ErrorCode, KafkaError } from "@millrace/protocol"
export type {
  CreatedTopic,
  CreateTopicsOptions,
  DeleteTopicsOptions,
  NewTopic,
  TopicDescription,
} from "./admin/topics.ts"
export type { ConfigChange, ConfigEntry, ConfigResource } from "./admin/configs.ts"
export type { GroupDescription, ListedGroup } from "./admin/groups.ts"
export type { StreamsGroupDescription } from "./admin/streams-groups.ts"
export type { ListedTransaction, TransactionState } from "./admin/transactions.ts"
export { CLUSTER_NAME, OPERATIONS_OF_RESOURCE } from "@millrace/protocol/acl"
export { ACL_OPERATIONS } from "./admin/acls.ts"
export type { AclOperationName, AclPattern, AclPermission, AclResource, AclRule, AclRuleFilter } from "./admin/acls.ts"
export type { DelegationToken, DelegationTokenOptions } from "./admin/delegation-tokens.ts"
export type { ClientQuotas, QuotaAlteration, QuotaEntity } from "./admin/quotas.ts"
export type { ScramDeletion, ScramUpsertion, UserScramCredentials } from "./admin/users.ts"
export { Admin, type ClusterDescription } from "./admin/admin.ts"
export { KafkaClient } from "./client.ts"
export type { CommittedOffset } from "./consumer/committed.ts"
export { Consumer } from "./consumer/consumer.ts"
export { type ConsumerRecord, FetchedCursor, FetchedPartition, recordsOf } from "./consumer/fetched.ts"
export { type ListedOffset, type OffsetQuery, OffsetSpec } from "./consumer/list-offsets.ts"
export type { TelemetryMetric, TelemetrySource } from "./telemetry/metric.ts"
export type { ConsumerOptions, OffsetReset } from "./consumer/options.ts"
export { CorruptBatch, type ReadableEnd } from "./consumer/partition-state.ts"
export type { RebalanceListener } from "./consumer/rebalance-listener.ts"
export * from "./errors.ts"
export type {
  Assignor,
  AssignorCluster,
  GroupMember,
  MemberAssignment,
  Previously,
  TopicPartition,
} from "./group/assignor.ts"
export { rangeAssignor } from "./group/range.ts"
export { roundRobinAssignor } from "./group/round-robin.ts"
export type {
  StreamsEndpoint,
  StreamsGroupListener,
  StreamsGroupOptions,
  StreamsTaskOffset,
} from "./group/streams/options.ts"
export { type StreamsGroupStatus, StreamsStatus } from "@millrace/protocol/streams-status"
export type { StreamsTaskId, StreamsTasks } from "./group/streams/tasks.ts"
export type { StreamsInternalTopic, StreamsSubtopology, StreamsTopology } from "./group/streams/topology.ts"
export { cooperativeStickyAssignor, stickyAssignor } from "./group/sticky.ts"
export type { NodeMetadata, PartitionMetadata, TopicMetadata } from "./metadata/cache.ts"
export type { ClientHost, ClientOptions } from "./options.ts"
export type { RecordMetadata, RecordOutcome } from "./producer/batch.ts"
export { murmur2, partitionForKey } from "./producer/murmur2.ts"
export type { ProducerOptions } from "./producer/options.ts"
export { DefaultPartitioner, type Partitioner } from "./producer/partitioner.ts"
export { Producer, type ProducerRecord } from "./producer/producer.ts"
export type { GroupMetadata, TopicPartitionOffset } from "./producer/transactions.ts"
export type { PasswordSasl, SaslOptions, TokenSasl } from "./security/sasl.ts"
export type { ClientSecurity } from "./security/options.ts"
