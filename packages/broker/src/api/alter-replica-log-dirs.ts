/**
 * AlterReplicaLogDirs (key 34), v1-2: moves replicas on this broker to another log directory (KIP-113). There is one
 * directory: where a replica is already it may be moved to.
 *
 * Errors per partition: LOG_DIR_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION (a name too long to be moved),
 * REPLICA_NOT_AVAILABLE (on another broker), CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { AlterReplicaLogDirs } from "@millrace/protocol/messages/alter-replica-log-dirs"
import { handler } from "./handler.ts"

/** Of a directory on its way it is `-partition.`, 32 digits and `-future` that follow the topic's name. */
const DIRECTORY_NAME_MAX = 255
const FUTURE_SUFFIX_LENGTH = ".".length + 32 + "-future".length

export const alterReplicaLogDirs = handler(AlterReplicaLogDirs, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle(request, context, { image, replicas }, reply) {
    const allowed = context.may("ALTER", "CLUSTER")
    const errorOf = (path: string, topic: string, index: number): ErrorCode => {
      if (!allowed) return ErrorCode.CLUSTER_AUTHORIZATION_FAILED
      if (`${topic}-${index}`.length + FUTURE_SUFFIX_LENGTH > DIRECTORY_NAME_MAX)
        return ErrorCode.INVALID_TOPIC_EXCEPTION
      if (path !== replicas.dataDir) return ErrorCode.LOG_DIR_NOT_FOUND
      if (replicas.partition(topic, index)) return ErrorCode.NONE
      return image.partition(topic, index) ? ErrorCode.REPLICA_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    }
    // A partition that is named twice goes where it is named last.
    const topics = new Map<string, Map<number, ErrorCode>>()
    for (const { path, topics: moved } of request.dirs) {
      for (const { name, partitions } of moved) {
        const errors = topics.get(name) ?? new Map<number, ErrorCode>()
        topics.set(name, errors)
        for (const index of partitions) errors.set(index, errorOf(path, name, index))
      }
    }
    reply({
      results: [...topics]
        .filter(([, errors]) => errors.size > 0)
        .map(([topicName, errors]) => ({
          topicName,
          partitions: [...errors].map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
        })),
    })
  },
})
