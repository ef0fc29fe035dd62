/**
 * StreamsGroupTopologyDescriptionUpdate (key 93): a Kafka Streams instance hands in its topology for people to read, when a
 * heartbeat asked for it (KIP-1331).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_REQUEST,
 * UNSUPPORTED_VERSION, UNKNOWN_MEMBER_ID, GROUP_ID_NOT_FOUND, STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED,
 * GROUP_AUTHORIZATION_FAILED.
 */
import { int16, int32, int8, string, strings, struct, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

const topologyDescriptionNode = {
  name: string("0+"),
  nodeType: int8("0+"),
  sourceTopics: strings("0+"),
  sinkTopic: string("0+", { nullable: "0+", default: null }),
  stores: strings("0+"),
  successors: strings("0+"),
}

const topologyDescriptionSubtopology = {
  subtopologyId: string("0+"),
  nodes: structs("0+", topologyDescriptionNode),
}

const topologyDescriptionGlobalStore = {
  source: struct("0+", topologyDescriptionNode),
  processor: struct("0+", topologyDescriptionNode),
}

const topologyDescription = {
  subtopologies: structs("0+", topologyDescriptionSubtopology),
  globalStores: structs("0+", topologyDescriptionGlobalStore),
}

export const StreamsGroupTopologyDescriptionUpdate = api(
  "StreamsGroupTopologyDescriptionUpdate",
  {
    groupId: string("0+"),
    memberId: string("0+"),
    topologyEpoch: int32("0+"),
    topologyDescription: struct("0+", topologyDescription),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
  },
)

export type StreamsGroupTopologyDescriptionUpdateRequest = Decoded<typeof StreamsGroupTopologyDescriptionUpdate.request>
export type StreamsGroupTopologyDescriptionUpdateResponse = Decoded<
  typeof StreamsGroupTopologyDescriptionUpdate.response
>
