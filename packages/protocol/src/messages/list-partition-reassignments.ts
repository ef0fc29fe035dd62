/**
 * ListPartitionReassignments (key 46): the moves of replicas that are going on (KIP-455). Topics null asks for all.
 *
 * Errors: NOT_CONTROLLER, REQUEST_TIMED_OUT, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ListPartitionReassignments = api(
  "ListPartitionReassignments",
  {
    timeoutMs: int32("0+", { default: 60000 }),
    topics: structs(
      "0+",
      { nullable: "0+", default: null },
      {
        name: string("0+"),
        partitionIndexes: int32s("0+"),
      },
    ),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        replicas: int32s("0+"),
        addingReplicas: int32s("0+"),
        removingReplicas: int32s("0+"),
      }),
    }),
  },
)

export type ListPartitionReassignmentsRequest = Decoded<typeof ListPartitionReassignments.request>
export type ListPartitionReassignmentsResponse = Decoded<typeof ListPartitionReassignments.response>
