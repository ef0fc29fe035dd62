/**
 * AlterPartitionReassignments (key 45), v0-1: moves partitions to other replicas, or cancels that (KIP-455). v1 may refuse to
 * change the replication factor (KIP-860). On one broker there is nowhere to move to, and nothing to cancel.
 *
 * Errors: per partition NO_REASSIGNMENT_IN_PROGRESS, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR,
 * UNKNOWN_TOPIC_OR_PARTITION; of all CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { AlterPartitionReassignments } from "@millrace/protocol/messages/alter-partition-reassignments"
import { alterPartitionReassignments as decide } from "../controller/reassignments.ts"
import { handler } from "./handler.ts"

export const alterPartitionReassignments = handler(AlterPartitionReassignments, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle(request, context, { image }, reply) {
    const { topics, allowReplicationFactorChange } = request
    if (context.may("ALTER", "CLUSTER")) {
      const answered = topics.length === 0 ? {} : { allowReplicationFactorChange }
      reply({ ...answered, errorCode: ErrorCode.NONE, errorMessage: null, responses: decide(image, request) })
      return
    }
    const refused = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: "Cluster authorization failed." }
    const responses = topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...refused })),
    }))
    reply({ ...refused, responses })
  },
})
