/**
 * CreatePartitions (key 37): raises topics' partition counts (KIP-195).
 *
 * v2 flexible · v3 THROTTLING_QUOTA_EXCEEDED (KIP-599).
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, REASSIGNMENT_IN_PROGRESS,
 * INVALID_REQUEST, NOT_CONTROLLER, REQUEST_TIMED_OUT, THROTTLING_QUOTA_EXCEEDED, TOPIC_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const CreatePartitions = api(
  "CreatePartitions",
  {
    topics: structs("0+", {
      name: string("0+"),
      count: int32("0+"),
      assignments: structs(
        "0+",
        { nullable: "0+" },
        {
          brokerIds: int32s("0+"),
        },
      ),
    }),
    timeoutMs: int32("0+"),
    validateOnly: bool("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    results: structs("0+", {
      name: string("0+"),
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+", default: null }),
    }),
  },
)

export type CreatePartitionsRequest = Decoded<typeof CreatePartitions.request>
export type CreatePartitionsResponse = Decoded<typeof CreatePartitions.response>
