/**
 * StreamsGroupDescribe (key 89): topology, members and tasks of groups of Kafka Streams instances (KIP-1071).
 *
 * v1 the described topology (KIP-1331) and the assignor's name (KIP-1357).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_REQUEST,
 * INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, int64, int8, string, strings, struct, structs, uint16 } from "../schema/field.ts"
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

const endpoint = {
  host: string("0+"),
  port: uint16("0+"),
}

const taskOffset = {
  subtopologyId: string("0+"),
  partition: int32("0+"),
  offset: int64("0+"),
}

const taskIds = {
  subtopologyId: string("0+"),
  partitions: int32s("0+"),
}

const assignment = {
  activeTasks: structs("0+", taskIds),
  standbyTasks: structs("0+", taskIds),
  warmupTasks: structs("0+", taskIds),
}

const topologyDescriptionNode = {
  name: string("1+"),
  nodeType: int8("1+"),
  sourceTopics: strings("1+"),
  sinkTopic: string("1+", { nullable: "1+", default: null }),
  stores: strings("1+"),
  successors: strings("1+"),
}

const topologyDescriptionSubtopology = {
  subtopologyId: string("1+"),
  nodes: structs("1+", topologyDescriptionNode),
}

const topologyDescriptionGlobalStore = {
  source: struct("1+", topologyDescriptionNode),
  processor: struct("1+", topologyDescriptionNode),
}

const topologyDescription = {
  subtopologies: structs("1+", topologyDescriptionSubtopology),
  globalStores: structs("1+", topologyDescriptionGlobalStore),
}

export const StreamsGroupDescribe = api(
  "StreamsGroupDescribe",
  {
    groupIds: strings("0+"),
    includeAuthorizedOperations: bool("0+"),
    includeTopologyDescription: bool("1+", { default: false }),
  },
  {
    throttleTimeMs: int32("0+"),
    groups: structs("0+", {
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+", default: null }),
      groupId: string("0+"),
      groupState: string("0+"),
      groupEpoch: int32("0+"),
      assignmentEpoch: int32("0+"),
      topology: struct(
        "0+",
        { nullable: "0+", default: null },
        {
          epoch: int32("0+"),
          subtopologies: structs(
            "0+",
            { nullable: "0+", default: null },
            {
              subtopologyId: string("0+"),
              sourceTopics: strings("0+"),
              repartitionSinkTopics: strings("0+"),
              stateChangelogTopics: structs("0+", topicInfo),
              repartitionSourceTopics: structs("0+", topicInfo),
            },
          ),
        },
      ),
      members: structs("0+", {
        memberId: string("0+"),
        memberEpoch: int32("0+"),
        instanceId: string("0+", { nullable: "0+", default: null }),
        rackId: string("0+", { nullable: "0+", default: null }),
        clientId: string("0+"),
        clientHost: string("0+"),
        topologyEpoch: int32("0+"),
        processId: string("0+"),
        userEndpoint: struct("0+", { nullable: "0+", default: null }, endpoint),
        clientTags: structs("0+", keyValue),
        taskOffsets: structs("0+", taskOffset),
        taskEndOffsets: structs("0+", taskOffset),
        assignment: struct("0+", assignment),
        targetAssignment: struct("0+", assignment),
        isClassic: bool("0+"),
      }),
      authorizedOperations: int32("0+", { default: -2147483648 }),
      topologyDescription: struct("1+", { nullable: "1+", default: null }, topologyDescription),
      topologyDescriptionStatus: int8("1+", { default: 0 }),
      assignorName: string("1+", { nullable: "1+", default: null, ignorable: true }),
    }),
  },
)

export type StreamsGroupDescribeRequest = Decoded<typeof StreamsGroupDescribe.request>
export type StreamsGroupDescribeResponse = Decoded<typeof StreamsGroupDescribe.response>
