/**
 * StreamsGroupHeartbeat (key 88): join, report and be assigned tasks in a group of Kafka Streams instances (KIP-1071).
 *
 * Epoch 0 joins and brings the topology, -1 leaves, -2 leaves as a static member that will be back; null fields are
 * unchanged. Status codes: 0 stale topology, 1 missing source topics, 2 incorrectly partitioned topics, 3 missing internal
 * topics, 4 shutdown of the application, 5 assignment delayed, 6 missing client tags (v1 only, KAFKA-20744).
 * v1 the broker may ask for a description of the topology (KIP-1331).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_REQUEST,
 * GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, UNRELEASED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED,
 * STREAMS_INVALID_TOPOLOGY, STREAMS_INVALID_TOPOLOGY_EPOCH, STREAMS_TOPOLOGY_FENCED, GROUP_AUTHORIZATION_FAILED,
 * TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED.
 */
import {
  bool,
  int16,
  int16s,
  int32,
  int32s,
  int64,
  int8,
  string,
  strings,
  struct,
  structs,
  uint16,
} from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

const keyValue = {
  key: string("0+"),
  value: string("0+"),
}

const topicInfo = {
  name: string("0+"),
  partitions: int32("0+"),
  replicationFactor: int16("0+"),
  topicConfigs: structs("0+", keyValue),
}

const taskIds = {
  subtopologyId: string("0+"),
  partitions: int32s("0+"),
}

const endpoint = {
  host: string("0+"),
  port: uint16("0+"),
}

const taskOffset = {
  subtopologyId: string("0+"),
  partition: int32("0+"),
  offset: int64("0+"),
}

const status = {
  statusCode: int8("0+"),
  statusDetail: string("0+"),
}

const topicPartition = {
  topic: string("0+"),
  partitions: int32s("0+"),
}

export const StreamsGroupHeartbeat = api(
  "StreamsGroupHeartbeat",
  {
    groupId: string("0+"),
    memberId: string("0+"),
    memberEpoch: int32("0+"),
    endpointInformationEpoch: int32("0+"),
    instanceId: string("0+", { nullable: "0+", default: null }),
    rackId: string("0+", { nullable: "0+", default: null }),
    rebalanceTimeoutMs: int32("0+", { default: -1 }),
    topology: struct(
      "0+",
      { nullable: "0+", default: null },
      {
        epoch: int32("0+"),
        subtopologies: structs("0+", {
          subtopologyId: string("0+"),
          sourceTopics: strings("0+"),
          sourceTopicRegex: strings("0+"),
          stateChangelogTopics: structs("0+", topicInfo),
          repartitionSinkTopics: strings("0+"),
          repartitionSourceTopics: structs("0+", topicInfo),
          copartitionGroups: structs("0+", {
            sourceTopics: int16s("0+"),
            sourceTopicRegex: int16s("0+"),
            repartitionSourceTopics: int16s("0+"),
          }),
        }),
      },
    ),
    activeTasks: structs("0+", { nullable: "0+", default: null }, taskIds),
    standbyTasks: structs("0+", { nullable: "0+", default: null }, taskIds),
    warmupTasks: structs("0+", { nullable: "0+", default: null }, taskIds),
    processId: string("0+", { nullable: "0+", default: null }),
    userEndpoint: struct("0+", { nullable: "0+", default: null }, endpoint),
    clientTags: structs("0+", { nullable: "0+", default: null }, keyValue),
    taskOffsets: structs("0+", { nullable: "0+", default: null }, taskOffset),
    taskEndOffsets: structs("0+", { nullable: "0+", default: null }, taskOffset),
    shutdownApplication: bool("0+", { default: false }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    memberId: string("0+"),
    memberEpoch: int32("0+"),
    heartbeatIntervalMs: int32("0+"),
    acceptableRecoveryLagLegacy: int32("0"),
    taskOffsetIntervalMs: int32("0+"),
    acceptableRecoveryLag: int64("1+", { default: -1, ignorable: true }),
    status: structs("0+", { nullable: "0+" }, status),
    activeTasks: structs("0+", { nullable: "0+", default: null }, taskIds),
    standbyTasks: structs("0+", { nullable: "0+", default: null }, taskIds),
    warmupTasks: structs("0+", { nullable: "0+", default: null }, taskIds),
    topologyDescriptionRequired: bool("1+", { default: false }),
    endpointInformationEpoch: int32("0+"),
    partitionsByUserEndpoint: structs(
      "0+",
      { nullable: "0+", default: null },
      {
        userEndpoint: struct("0+", endpoint),
        activePartitions: structs("0+", topicPartition),
        standbyPartitions: structs("0+", topicPartition),
      },
    ),
  },
)

export type StreamsGroupHeartbeatRequest = Decoded<typeof StreamsGroupHeartbeat.request>
export type StreamsGroupHeartbeatResponse = Decoded<typeof StreamsGroupHeartbeat.response>
