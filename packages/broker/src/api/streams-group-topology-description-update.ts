/**
 * StreamsGroupTopologyDescriptionUpdate (key 93), v0: an instance hands in its topology for people to read (KIP-1331). As a
 * Kafka without a plugin for them, this broker keeps none and asks for none. Errors: UNSUPPORTED_VERSION,
 * GROUP_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { StreamsGroupTopologyDescriptionUpdate } from "@millrace/protocol/messages/streams-group-topology-description-update"
import { featureLevel, STREAMS_VERSION } from "../controller/features.ts"
import { handler } from "./handler.ts"

export const streamsGroupTopologyDescriptionUpdate = handler(StreamsGroupTopologyDescriptionUpdate, {
  permissions: [{ operation: "READ", resource: "GROUP" }],
  handle({ groupId }, context, { image }, reply) {
    if (featureLevel(image, STREAMS_VERSION) > 0 && !context.may("READ", "GROUP", groupId))
      return reply({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED })
    reply({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      errorMessage: "This broker keeps no descriptions of topologies.",
    })
  },
})
