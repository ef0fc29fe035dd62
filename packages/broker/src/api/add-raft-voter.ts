/**
 * AddRaftVoter (key 80), v0-1: adds a controller to the voters of the metadata quorum (KIP-853). The quorum is of this node
 * alone, as one of Kafka's whose kraft.version is 0.
 *
 * Errors: UNSUPPORTED_VERSION, INCONSISTENT_CLUSTER_ID, INVALID_REQUEST (no voter, or no endpoint of it),
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { AddRaftVoter } from "@millrace/protocol/messages/add-raft-voter"
import { voterChangeRefusal } from "../controller/voters.ts"
import { handler } from "./handler.ts"

export const addRaftVoter = handler(AddRaftVoter, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle(request, context, { clusterId }, reply) {
    reply(voterChangeRefusal({ ...request, ownClusterId: clusterId, mayAlter: context.may("ALTER", "CLUSTER") }))
  },
})
