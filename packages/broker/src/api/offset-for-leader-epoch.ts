/**
 * OffsetForLeaderEpoch (key 23), v2-4: where an epoch ended, for readers that check whether the log was cut under them
 * (KIP-101, 320). The answer names the epoch asked, or the largest one before it, and the start of the next one, or the
 * log's end; an epoch that the log does not reach yet, or any in an empty log, is (-1, -1).
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
 * KAFKA_STORAGE_ERROR, TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { OffsetForLeaderEpoch } from "@millrace/protocol/messages/offset-for-leader-epoch"
import { STORAGE_FAULT } from "../partition/partition.ts"
import { handler } from "./handler.ts"

export const offsetForLeaderEpoch = handler(OffsetForLeaderEpoch, {
  permissions: [{ operation: "DESCRIBE", resource: "TOPIC" }],
  handle(request, context, { replicas }, reply) {
    const answer = (topic: string, index: number, currentLeaderEpoch: number, leaderEpoch: number) => {
      const nowhere = { partition: index, leaderEpoch: -1, endOffset: -1 }
      if (!context.may("DESCRIBE", "TOPIC", topic)) {
        return { ...nowhere, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }
      }
      const partition = replicas.partition(topic, index)
      if (!partition) return { ...nowhere, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
      const error = partition.check(currentLeaderEpoch)
      if (error !== ErrorCode.NONE) return { ...nowhere, errorCode: error }
      if (leaderEpoch === partition.leaderEpoch) {
        const end = partition.attempt((log) => log.logEndOffset)
        if (end === STORAGE_FAULT) return { ...nowhere, errorCode: ErrorCode.KAFKA_STORAGE_ERROR }
        return { partition: index, errorCode: ErrorCode.NONE, leaderEpoch, endOffset: end }
      }
      const found = partition.attempt((log) => log.endOffsetForEpoch(leaderEpoch))
      if (found === STORAGE_FAULT) return { ...nowhere, errorCode: ErrorCode.KAFKA_STORAGE_ERROR }
      if (leaderEpoch > partition.leaderEpoch) return { ...nowhere, errorCode: ErrorCode.NONE }
      return { partition: index, errorCode: ErrorCode.NONE, leaderEpoch: found.epoch, endOffset: found.endOffset }
    }
    reply({
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) =>
          answer(topic, partition, currentLeaderEpoch, leaderEpoch),
        ),
      })),
    })
  },
})
