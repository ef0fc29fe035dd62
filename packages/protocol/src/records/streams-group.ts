/**
 * Records of `__consumer_offsets` for a group of Kafka Streams instances: its epoch, members and topology (KIP-1071).
 */
import { int16, int16s, int32, int64, string, strings, struct, structs, uint16 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

const lastAssignmentConfig = {
  key: string("0+"),
  value: string("0+"),
}

const endpoint = {
  host: string("0+"),
  port: uint16("0+"),
}

const keyValue = {
  key: string("0+"),
  value: string("0+"),
}

const topicConfig = {
  key: string("0+"),
  value: string("0+"),
}

const topicInfo = {
  name: string("0+"),
  partitions: int32("0+"),
  replicationFactor: int16("0+"),
  topicConfigs: structs("0+", topicConfig),
}

export const StreamsGroupMetadataKey = record(17, "StreamsGroupMetadataKey", "0", "none", {
  groupId: string("0+"),
})
export type StreamsGroupMetadataKey = Decoded<typeof StreamsGroupMetadataKey>

export const StreamsGroupMetadataValue = record(17, "StreamsGroupMetadataValue", "0", "0+", {
  epoch: int32("0+"),
  metadataHash: int64("0+"),
  validatedTopologyEpoch: int32("0+", { default: -1, tag: 0 }),
  lastAssignmentConfigs: structs("0+", { nullable: "0+", tag: 1 }, lastAssignmentConfig),
  storedDescriptionTopologyEpoch: int32("0+", { default: -1, tag: 2 }),
  failedDescriptionTopologyEpoch: int32("0+", { default: -1, tag: 3 }),
})
export type StreamsGroupMetadataValue = Decoded<typeof StreamsGroupMetadataValue>

export const StreamsGroupMemberMetadataKey = record(19, "StreamsGroupMemberMetadataKey", "0", "none", {
  groupId: string("0+"),
  memberId: string("0+"),
})
export type StreamsGroupMemberMetadataKey = Decoded<typeof StreamsGroupMemberMetadataKey>

export const StreamsGroupMemberMetadataValue = record(19, "StreamsGroupMemberMetadataValue", "0", "0+", {
  instanceId: string("0+", { nullable: "0+" }),
  rackId: string("0+", { nullable: "0+" }),
  clientId: string("0+"),
  clientHost: string("0+"),
  rebalanceTimeoutMs: int32("0+", { default: -1 }),
  topologyEpoch: int32("0+"),
  processId: string("0+"),
  userEndpoint: struct("0+", { nullable: "0+", default: null }, endpoint),
  clientTags: structs("0+", keyValue),
})
export type StreamsGroupMemberMetadataValue = Decoded<typeof StreamsGroupMemberMetadataValue>

export const StreamsGroupTopologyKey = record(23, "StreamsGroupTopologyKey", "0", "none", {
  groupId: string("0+"),
})
export type StreamsGroupTopologyKey = Decoded<typeof StreamsGroupTopologyKey>

export const StreamsGroupTopologyValue = record(23, "StreamsGroupTopologyValue", "0", "0+", {
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
})
export type StreamsGroupTopologyValue = Decoded<typeof StreamsGroupTopologyValue>
