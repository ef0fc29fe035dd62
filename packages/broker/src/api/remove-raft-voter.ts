/**
 * RemoveRaftVoter (key 81), v0: removes a controller from the voters of the metadata quorum (KIP-853). The quorum is of this
 * node alone, as one of Kafka's whose kraft.version is 0.
 *
 * Errors: UNSUPPORTED_VERSION, INCONSISTENT_CLUSTER_ID, INVALID_REQUEST (no voter), CLUSTER_AUTHORIZATION_FAILED.
 */
import { RemoveRaftVoter } from "@millrace/protocol/messages/remove-raft-voter"
import { voterChangeRefusal } from "../controller/voters.ts"
import { handler } from "./handler.ts"

export const removeRaftVoter = handler(RemoveRaftVoter, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle(request, context, { clusterId }, reply) {
    reply(voterChangeRefusal({ ...request, ownClusterId: clusterId, mayAlter: context.may("ALTER", "CLUSTER") }))
  },
})
