/**
 * The error table of the Kafka protocol, -1 to 136 as of Kafka 4.4: name, code, whether a client may just try again, and
 * what it means in one line of ours. `retriable` is what Kafka's own clients go by (their RetriableException); some
 * of those need something first, as new metadata or a new coordinator.
 *
 * Inside the broker errors are values (`ErrorCode.X` in a response field). At the edge of a client they become a thrown
 * `KafkaError`.
 */
const retriable = true
const final = false

// prettier-ignore
const table = {
  UNKNOWN_SERVER_ERROR: [-1, final, "the broker failed while handling the request; its log says why"],
  NONE: [0, final, "no error"],
  OFFSET_OUT_OF_RANGE: [1, final, "the offset is outside the partition's log: below its start or beyond its end"],
  CORRUPT_MESSAGE: [2, retriable, "a record batch is damaged: its checksum, size or format does not hold, or a compacted topic got a record without key"],
  UNKNOWN_TOPIC_OR_PARTITION: [3, retriable, "this broker hosts no such topic or partition"],
  INVALID_FETCH_SIZE: [4, final, "the fetch size is not usable"],
  LEADER_NOT_AVAILABLE: [5, retriable, "the partition has no leader at the moment"],
  NOT_LEADER_OR_FOLLOWER: [6, retriable, "this broker neither leads nor follows the partition; refresh metadata"],
  REQUEST_TIMED_OUT: [7, retriable, "the request was not finished within its time limit"],
  BROKER_NOT_AVAILABLE: [8, final, "the broker is not available"],
  REPLICA_NOT_AVAILABLE: [9, retriable, "the replica is not available on this broker"],
  MESSAGE_TOO_LARGE: [10, final, "a record batch is larger than max.message.bytes allows"],
  STALE_CONTROLLER_EPOCH: [11, final, "the request comes from a controller of an older epoch"],
  OFFSET_METADATA_TOO_LARGE: [12, final, "the metadata of a committed offset is larger than offset.metadata.max.bytes"],
  NETWORK_EXCEPTION: [13, retriable, "the connection was lost before the answer came"],
  COORDINATOR_LOAD_IN_PROGRESS: [14, retriable, "the coordinator is still loading its state; try again"],
  COORDINATOR_NOT_AVAILABLE: [15, retriable, "the coordinator is not available; look it up again"],
  NOT_COORDINATOR: [16, retriable, "this broker is not the coordinator of this group or transactional id"],
  INVALID_TOPIC_EXCEPTION: [17, final, "the topic name is not valid, or the topic does not allow the operation"],
  RECORD_LIST_TOO_LARGE: [18, final, "the batches together are larger than a log segment"],
  NOT_ENOUGH_REPLICAS: [19, retriable, "fewer replicas are in sync than min.insync.replicas asks for; nothing was written"],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, retriable, "the batch was written, but to fewer in-sync replicas than asked for"],
  INVALID_REQUIRED_ACKS: [21, final, "acks must be 0, 1 or -1 (all)"],
  ILLEGAL_GENERATION: [22, final, "the generation is not the group's current one"],
  INCONSISTENT_GROUP_PROTOCOL: [23, final, "the member's protocol type or protocols have nothing in common with the group's"],
  INVALID_GROUP_ID: [24, final, "the group id is not valid"],
  UNKNOWN_MEMBER_ID: [25, final, "the coordinator knows no such member; rejoin the group"],
  INVALID_SESSION_TIMEOUT: [26, final, "the session timeout is outside what the broker allows (group.min/max.session.timeout.ms)"],
  REBALANCE_IN_PROGRESS: [27, final, "the group is rebalancing; rejoin it"],
  INVALID_COMMIT_OFFSET_SIZE: [28, final, "the offset commit is too large to be stored"],
  TOPIC_AUTHORIZATION_FAILED: [29, final, "not authorized for the topic"],
  GROUP_AUTHORIZATION_FAILED: [30, final, "not authorized for the group"],
  CLUSTER_AUTHORIZATION_FAILED: [31, final, "not authorized for the cluster"],
  INVALID_TIMESTAMP: [32, final, "a record's timestamp is too far from the broker's clock, or not allowed"],
  UNSUPPORTED_SASL_MECHANISM: [33, final, "the broker does not offer this SASL mechanism"],
  ILLEGAL_SASL_STATE: [34, final, "the request does not fit the state of the SASL exchange"],
  UNSUPPORTED_VERSION: [35, final, "this version of the API is not supported"],
  TOPIC_ALREADY_EXISTS: [36, final, "a topic of this name exists"],
  INVALID_PARTITIONS: [37, final, "the partition count is not valid"],
  INVALID_REPLICATION_FACTOR: [38, final, "the replication factor is below 1 or above the number of brokers"],
  INVALID_REPLICA_ASSIGNMENT: [39, final, "the replica assignment is not valid"],
  INVALID_CONFIG: [40, final, "a config is unknown or its value is not valid"],
  NOT_CONTROLLER: [41, retriable, "this node is not the active controller"],
  INVALID_REQUEST: [42, final, "the request contradicts itself or the protocol"],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, final, "the partition's message format does not support the request"],
  POLICY_VIOLATION: [44, final, "a configured policy forbids the request"],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, final, "the batch's sequence number does not follow the producer's last one"],
  DUPLICATE_SEQUENCE_NUMBER: [46, final, "the batch's sequence numbers were written before"],
  INVALID_PRODUCER_EPOCH: [47, final, "the producer's epoch is older than the one the broker knows"],
  INVALID_TXN_STATE: [48, final, "the transaction's state does not allow the operation"],
  INVALID_PRODUCER_ID_MAPPING: [49, final, "the producer id does not belong to the transactional id"],
  INVALID_TRANSACTION_TIMEOUT: [50, final, "the transaction timeout is above transaction.max.timeout.ms, or not positive"],
  CONCURRENT_TRANSACTIONS: [51, retriable, "another operation on this transaction is still going on; try again"],
  TRANSACTION_COORDINATOR_FENCED: [52, final, "a newer transaction coordinator has taken over"],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, final, "not authorized for the transactional id"],
  SECURITY_DISABLED: [54, final, "this cluster has no authorizer, so there is nothing to manage"],
  OPERATION_NOT_ATTEMPTED: [55, final, "not tried, because another part of the same request failed"],
  KAFKA_STORAGE_ERROR: [56, retriable, "the broker's disk failed or holds unreadable data"],
  LOG_DIR_NOT_FOUND: [57, final, "the broker has no such log directory"],
  SASL_AUTHENTICATION_FAILED: [58, final, "authentication failed: wrong credentials or mechanism"],
  UNKNOWN_PRODUCER_ID: [59, final, "the broker holds no state for this producer id"],
  REASSIGNMENT_IN_PROGRESS: [60, final, "the partition's replicas are already being reassigned"],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, final, "this cluster does not use delegation tokens"],
  DELEGATION_TOKEN_NOT_FOUND: [62, final, "no such delegation token"],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, final, "the delegation token belongs to someone else"],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [64, final, "delegation tokens cannot be managed over this connection"],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, final, "not authorized for the delegation token"],
  DELEGATION_TOKEN_EXPIRED: [66, final, "the delegation token has expired"],
  INVALID_PRINCIPAL_TYPE: [67, final, "this type of principal is not supported"],
  NON_EMPTY_GROUP: [68, final, "the group still has members"],
  GROUP_ID_NOT_FOUND: [69, final, "no such group"],
  FETCH_SESSION_ID_NOT_FOUND: [70, retriable, "the broker knows no such fetch session; a full fetch starts a new one"],
  INVALID_FETCH_SESSION_EPOCH: [71, retriable, "the fetch session's epoch is not the expected one; a full fetch starts a new session"],
  LISTENER_NOT_FOUND: [72, retriable, "the leader has no listener of the name the request came in on"],
  TOPIC_DELETION_DISABLED: [73, final, "topic deletion is switched off (delete.topic.enable)"],
  FENCED_LEADER_EPOCH: [74, retriable, "the request's leader epoch is older than the broker's; refresh metadata"],
  UNKNOWN_LEADER_EPOCH: [75, retriable, "the request's leader epoch is newer than the broker's; try again"],
  UNSUPPORTED_COMPRESSION_TYPE: [76, final, "the client cannot read the compression that the partition holds"],
  STALE_BROKER_EPOCH: [77, final, "the broker has registered again since, with a newer epoch"],
  OFFSET_NOT_AVAILABLE: [78, retriable, "the new leader does not know its high watermark yet; try again"],
  MEMBER_ID_REQUIRED: [79, final, "join again with the member id of this answer"],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, retriable, "the preferred leader is not available"],
  GROUP_MAX_SIZE_REACHED: [81, final, "the group has as many members as group.max.size allows"],
  FENCED_INSTANCE_ID: [82, final, "another member with the same group.instance.id has taken this one's place"],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, retriable, "none of the replicas that may lead is available"],
  ELECTION_NOT_NEEDED: [84, retriable, "the partition has the wanted leader"],
  NO_REASSIGNMENT_IN_PROGRESS: [85, final, "no reassignment of this partition is going on"],
  GROUP_SUBSCRIBED_TO_TOPIC: [86, final, "the group is subscribed to the topic, so its offsets cannot be deleted"],
  INVALID_RECORD: [87, final, "a record breaks a rule of the topic or of the broker"],
  UNSTABLE_OFFSET_COMMIT: [88, retriable, "an open transaction still holds these offsets back; try again"],
  THROTTLING_QUOTA_EXCEEDED: [89, retriable, "a quota is used up; try again later"],
  PRODUCER_FENCED: [90, final, "a newer producer with the same transactional id has taken over"],
  RESOURCE_NOT_FOUND: [91, final, "the request names something that does not exist"],
  DUPLICATE_RESOURCE: [92, final, "the request names something twice, or something that exists"],
  UNACCEPTABLE_CREDENTIAL: [93, final, "the credential does not meet the rules"],
  INCONSISTENT_VOTER_SET: [94, final, "sender or receiver is not in the expected set of voters"],
  INVALID_UPDATE_VERSION: [95, final, "the update's version is not valid"],
  FEATURE_UPDATE_FAILED: [96, final, "the feature update failed"],
  PRINCIPAL_DESERIALIZATION_FAILURE: [97, final, "the principal in a forwarded request cannot be read"],
  SNAPSHOT_NOT_FOUND: [98, final, "no such snapshot"],
  POSITION_OUT_OF_RANGE: [99, final, "the position is outside the snapshot"],
  UNKNOWN_TOPIC_ID: [100, retriable, "this broker hosts no topic with this id"],
  DUPLICATE_BROKER_REGISTRATION: [101, final, "another broker is registered with this id"],
  BROKER_ID_NOT_REGISTERED: [102, final, "no broker is registered with this id"],
  INCONSISTENT_TOPIC_ID: [103, retriable, "the topic id is not the one of the partition's log"],
  INCONSISTENT_CLUSTER_ID: [104, final, "the cluster id is not this cluster's"],
  TRANSACTIONAL_ID_NOT_FOUND: [105, final, "no such transactional id"],
  FETCH_SESSION_TOPIC_ID_ERROR: [106, retriable, "the fetch session mixes topic names and topic ids, or an id has changed"],
  INELIGIBLE_REPLICA: [107, final, "a replica of the proposed in-sync set may not be in it"],
  NEW_LEADER_ELECTED: [108, final, "the change was made, but the partition has a new leader"],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, final, "the offset's data has moved to tiered storage"],
  FENCED_MEMBER_EPOCH: [110, final, "the coordinator fenced the member's epoch; give up all partitions and rejoin"],
  UNRELEASED_INSTANCE_ID: [111, final, "the member that holds this group.instance.id must leave first"],
  UNSUPPORTED_ASSIGNOR: [112, final, "the group does not support this assignor"],
  STALE_MEMBER_EPOCH: [113, final, "the member's epoch is old; learn the new one by heartbeat and try again"],
  MISMATCHED_ENDPOINT_TYPE: [114, final, "the request went to the wrong kind of endpoint (broker or controller)"],
  UNSUPPORTED_ENDPOINT_TYPE: [115, final, "this kind of endpoint is not supported"],
  UNKNOWN_CONTROLLER_ID: [116, final, "no such controller"],
  UNKNOWN_SUBSCRIPTION_ID: [117, final, "the telemetry subscription is unknown or outdated"],
  TELEMETRY_TOO_LARGE: [118, final, "the telemetry is larger than the broker accepts"],
  INVALID_REGISTRATION: [119, final, "the controller refuses the broker's registration"],
  TRANSACTION_ABORTABLE: [120, final, "the transaction cannot commit; abort it, then go on with the same transactional id"],
  INVALID_RECORD_STATE: [121, final, "the record's delivery state does not allow this acknowledgement"],
  SHARE_SESSION_NOT_FOUND: [122, retriable, "no such share session"],
  INVALID_SHARE_SESSION_EPOCH: [123, retriable, "the share session's epoch is not the expected one"],
  FENCED_STATE_EPOCH: [124, final, "the coordinator fenced the request: its state epoch is old"],
  INVALID_VOTER_KEY: [125, final, "the voter's id and directory id do not match the replica's"],
  DUPLICATE_VOTER: [126, final, "the voter is already in the set of voters"],
  VOTER_NOT_FOUND: [127, final, "the voter is not in the set of voters"],
  INVALID_REGULAR_EXPRESSION: [128, final, "the regular expression is not valid (RE2 syntax)"],
  REBOOTSTRAP_REQUIRED: [129, final, "the client's view of the cluster is stale; start again from the bootstrap servers"],
  STREAMS_INVALID_TOPOLOGY: [130, final, "the topology is not valid"],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, final, "the topology epoch is not valid"],
  STREAMS_TOPOLOGY_FENCED: [132, final, "the topology epoch is outdated"],
  SHARE_SESSION_LIMIT_REACHED: [133, retriable, "the broker holds as many share sessions as it allows"],
  GROUP_DELETION_FAILED: [134, final, "the group could not be deleted; the message in its result says why"],
  STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED: [135, final, "the broker could not take the topology description; the message says why"],
  CONTROLLER_ID_NOT_REGISTERED: [136, final, "no controller is registered with this id"],
} as const satisfies Record<string, readonly [code: number, retriable: boolean, message: string]>

/** Name of an error, as Kafka spells it. */
export type ErrorName = keyof typeof table
/** A code that goes into an `errorCode` field. */
export type ErrorCode = (typeof table)[ErrorName][0]

/** The codes by name: `ErrorCode.NOT_LEADER_OR_FOLLOWER`. */
export const ErrorCode = Object.fromEntries(Object.entries(table).map(([name, [code]]) => [name, code])) as {
  readonly [N in ErrorName]: (typeof table)[N][0]
}

const byCode = new Map<number, { name: ErrorName; retriable: boolean; message: string }>()
for (const [name, [code, retriable, message]] of Object.entries(table)) {
  byCode.set(code, { name: name as ErrorName, retriable, message })
}

/** Name of a code; `UNKNOWN_ERROR_<code>` for one of a newer Kafka. */
export function errorName(code: number): string {
  return byCode.get(code)?.name ?? `UNKNOWN_ERROR_${code}`
}

/** Reads as: may the same request succeed when sent again? Codes that we do not know are not retriable. */
export function isRetriable(code: number): boolean {
  return byCode.get(code)?.retriable ?? false
}

/** What the error means, in one line. */
export function errorMessage(code: number): string {
  return byCode.get(code)?.message ?? `error ${code}, which this version does not know`
}

/** Every code that is known, ascending. */
export function errorCodes(): number[] {
  return [...byCode.keys()]
}

/** A protocol error at the edge of a client: an answer with this code made the call fail. */
export class KafkaError extends Error {
  override readonly name = "KafkaError"
  readonly code: number
  readonly errorName: string
  readonly retriable: boolean

  /** `detail` says what the error is about (a topic, a group); the broker's own message, when it sent one, fits too. */
  constructor(code: number, detail?: string, options?: ErrorOptions) {
    const name = errorName(code)
    super(detail === undefined || detail === "" ? `${name}: ${errorMessage(code)}` : `${name}: ${detail}`, options)
    this.code = code
    this.errorName = name
    this.retriable = isRetriable(code)
  }
}
