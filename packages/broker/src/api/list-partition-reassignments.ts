/**
 * ListPartitionReassignments (key 46), v0: replicas on their way to other brokers (KIP-455). A partition on one broker has
 * nowhere to go: the list is empty. Errors: CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { ListPartitionReassignments } from "@millrace/protocol/messages/list-partition-reassignments"
import { handler } from "./handler.ts"

export const listPartitionReassignments = handler(ListPartitionReassignments, {
  permissions: [{ operation: "DESCRIBE", resource: "CLUSTER" }],
  handle(_, context, __, reply) {
    const allowed = context.may("DESCRIBE", "CLUSTER")
    reply({
      errorCode: allowed ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
      errorMessage: null,
      topics: [],
    })
  },
})
