/**
 * DescribeProducers (key 61), v0: the producers a partition remembers (KIP-664). Errors per partition:
 * UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { DescribeProducers } from "@millrace/protocol/messages/describe-producers"
import type { ProducerEntry } from "@millrace/storage"
import { invalidTopicName } from "../controller/topic-names.ts"
import { STORAGE_FAULT } from "../partition/partition.ts"
import { handler } from "./handler.ts"

export const describeProducers = handler(DescribeProducers, {
  permissions: [{ operation: "READ", resource: "TOPIC" }],
  handle(request, context, { replicas }, reply) {
    const describe = (topic: string, partitionIndex: number) => {
      const failed = (errorCode: number) => ({ partitionIndex, errorCode, activeProducers: [] })
      if (!context.may("READ", "TOPIC", topic)) return failed(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      const partition = replicas.partition(topic, partitionIndex)
      if (!partition) {
        const isName = invalidTopicName(topic) === undefined
        return failed(isName ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION)
      }
      const error = partition.check(-1)
      if (error !== ErrorCode.NONE) return failed(error)
      const activeProducers = partition.attempt((log) => log.activeProducers().map(describeProducer))
      if (activeProducers === STORAGE_FAULT) return failed(ErrorCode.KAFKA_STORAGE_ERROR)
      return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers }
    }
    reply({
      topics: request.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((index) => describe(name, index)),
      })),
    })
  },
})

function describeProducer(entry: ProducerEntry) {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: entry.lastSequence,
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.currentTxnFirstOffset,
  }
}
