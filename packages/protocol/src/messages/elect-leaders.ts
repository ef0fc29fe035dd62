/**
 * ElectLeaders (key 43): elects the preferred replica, or an unclean one, as leader (KIP-183).
 *
 * v1 election types and a top-level error (KIP-460) · v2 flexible.
 *
 * Errors: PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE, ELECTION_NOT_NEEDED,
 * UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, NOT_CONTROLLER, REQUEST_TIMED_OUT, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ElectLeaders = api(
  "ElectLeaders",
  {
    electionType: int8("1+"),
    topicPartitions: structs(
      "0+",
      { nullable: "0+" },
      {
        topic: string("0+"),
        partitions: int32s("0+"),
      },
    ),
    timeoutMs: int32("0+", { default: 60000 }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("1+"),
    replicaElectionResults: structs("0+", {
      topic: string("0+"),
      partitionResult: structs("0+", {
        partitionId: int32("0+"),
        errorCode: int16("0+"),
        errorMessage: string("0+", { nullable: "0+" }),
      }),
    }),
  },
)

export type ElectLeadersRequest = Decoded<typeof ElectLeaders.request>
export type ElectLeadersResponse = Decoded<typeof ElectLeaders.response>
