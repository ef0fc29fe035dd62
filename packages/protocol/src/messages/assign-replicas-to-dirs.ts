/**
 * AssignReplicasToDirs (key 73): a broker tells the controller in which log directory its replicas live (KIP-858).
 *
 * Errors: NOT_CONTROLLER, STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED, UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION,
 * NOT_LEADER_OR_FOLLOWER, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AssignReplicasToDirs = api(
  "AssignReplicasToDirs",
  {
    brokerId: int32("0+"),
    brokerEpoch: int64("0+", { default: -1 }),
    directories: structs("0+", {
      id: uuid("0+"),
      topics: structs("0+", {
        topicId: uuid("0+"),
        partitions: structs("0+", {
          partitionIndex: int32("0+"),
        }),
      }),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    directories: structs("0+", {
      id: uuid("0+"),
      topics: structs("0+", {
        topicId: uuid("0+"),
        partitions: structs("0+", {
          partitionIndex: int32("0+"),
          errorCode: int16("0+"),
        }),
      }),
    }),
  },
)

export type AssignReplicasToDirsRequest = Decoded<typeof AssignReplicasToDirs.request>
export type AssignReplicasToDirsResponse = Decoded<typeof AssignReplicasToDirs.response>
