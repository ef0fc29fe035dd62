/**
 * AlterReplicaLogDirs (key 34): moves replicas on this broker to another log directory (KIP-113).
 *
 * v1 the oldest since Kafka 4.0 · v2 flexible.
 *
 * Errors: LOG_DIR_NOT_FOUND, REPLICA_NOT_AVAILABLE, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION,
 * INVALID_TOPIC_EXCEPTION, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int32s, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AlterReplicaLogDirs = api(
  "AlterReplicaLogDirs",
  {
    dirs: structs("0+", {
      path: string("0+"),
      topics: structs("0+", {
        name: string("0+"),
        partitions: int32s("0+"),
      }),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    results: structs("0+", {
      topicName: string("0+"),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
      }),
    }),
  },
)

export type AlterReplicaLogDirsRequest = Decoded<typeof AlterReplicaLogDirs.request>
export type AlterReplicaLogDirsResponse = Decoded<typeof AlterReplicaLogDirs.response>
