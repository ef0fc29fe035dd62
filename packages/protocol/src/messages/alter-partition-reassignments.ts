/**
 * AlterPartitionReassignments (key 45): moves partitions to other replicas, or cancels a move with replicas null (KIP-455).
 *
 * Flexible from v0 · v1 whether the replication factor may change (KIP-860).
 *
 * Errors: NO_REASSIGNMENT_IN_PROGRESS, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR,
 * UNKNOWN_TOPIC_OR_PARTITION, NOT_CONTROLLER, REQUEST_TIMED_OUT, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AlterPartitionReassignments = api(
  "AlterPartitionReassignments",
  {
    timeoutMs: int32("0+", { default: 60000 }),
    allowReplicationFactorChange: bool("1+", { default: true }),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        replicas: int32s("0+", { nullable: "0+", default: null }),
      }),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    allowReplicationFactorChange: bool("1+", { default: true, ignorable: true }),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    responses: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        errorMessage: string("0+", { nullable: "0+" }),
      }),
    }),
  },
)

export type AlterPartitionReassignmentsRequest = Decoded<typeof AlterPartitionReassignments.request>
export type AlterPartitionReassignmentsResponse = Decoded<typeof AlterPartitionReassignments.response>
