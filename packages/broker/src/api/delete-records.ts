/**
 * DeleteRecords (key 21), v0-2: moves the log start offset; -1 stands for the high watermark. The answer tells the new
 * start. Errors: OFFSET_OUT_OF_RANGE (beyond the high watermark, or negative), POLICY_VIOLATION (a topic that is only
 * compacted), INVALID_TOPIC_EXCEPTION (an internal one), UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { DeleteRecords } from "@millrace/protocol/messages/delete-records"
import { isInternalTopic } from "../controller/topic-names.ts"
import { STORAGE_FAULT } from "../partition/partition.ts"
import { handler } from "./handler.ts"
import { partitionsOnce } from "./partitions-once.ts"

const HIGH_WATERMARK = -1

export const deleteRecords = handler(DeleteRecords, {
  permissions: [{ operation: "DELETE", resource: "TOPIC" }],
  handle(request, context, { replicas, configs }, reply) {
    const remove = (topic: string, index: number, offset: number) => {
      const failed = (errorCode: number) => ({ partitionIndex: index, lowWatermark: -1, errorCode })
      if (!context.may("DELETE", "TOPIC", topic)) return failed(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      const partition = replicas.partition(topic, index)
      if (!partition) return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      if (isInternalTopic(topic)) return failed(ErrorCode.INVALID_TOPIC_EXCEPTION)
      const error = partition.check(-1)
      if (error !== ErrorCode.NONE) return failed(error)
      if (!configs.topic(topic)["cleanup.policy"].includes("delete")) return failed(ErrorCode.POLICY_VIOLATION)
      const start = partition.attempt((log) => {
        const target = offset === HIGH_WATERMARK ? partition.highWatermark : offset
        if (target < 0 || target > partition.highWatermark) return undefined
        if (target > log.logStartOffset) log.deleteRecordsBefore(target)
        return log.logStartOffset
      })
      if (start === STORAGE_FAULT) return failed(ErrorCode.KAFKA_STORAGE_ERROR)
      if (start === undefined) return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
      return { partitionIndex: index, lowWatermark: start, errorCode: ErrorCode.NONE }
    }
    const topics = partitionsOnce(request.topics).map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => remove(name, partitionIndex, offset)),
    }))
    reply({ topics })
  },
})
