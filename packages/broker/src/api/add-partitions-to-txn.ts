/**
 * AddPartitionsToTxn (key 24), v0-5: partitions become part of a producer's transaction. v4 and later are the brokers'
 * batched form, which can also only ask (KIP-890). Errors: see the transaction coordinator; UNKNOWN_TOPIC_OR_PARTITION,
 * OPERATION_NOT_ATTEMPTED, TOPIC_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { AddPartitionsToTxn } from "@millrace/protocol/messages/add-partitions-to-txn"
import { handler, replyLater } from "./handler.ts"

const VERSION_BATCHED = 4

export const addPartitionsToTxn = handler(AddPartitionsToTxn, {
  permissions: [
    { operation: "WRITE", resource: "TRANSACTIONAL_ID" },
    { operation: "WRITE", resource: "TOPIC" },
    { operation: "CLUSTER_ACTION", resource: "CLUSTER" },
  ],
  handle(request, context, services, reply) {
    const { transactions, image } = services
    if (context.apiVersion >= VERSION_BATCHED) {
      if (!context.may("CLUSTER_ACTION", "CLUSTER")) {
        reply({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED })
        return
      }
      const isThere = (name: string, partition: number) =>
        image.partition(name, partition) ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      const known: typeof request.transactions = []
      const refused: typeof request.transactions = []
      for (const transaction of request.transactions)
        (isRefused(transaction.topics, isThere) ? refused : known).push(transaction)
      const answer = transactions.addPartitionsToTxn(
        { apiVersion: context.apiVersion },
        { ...request, transactions: known },
      )
      const results = refused.map(({ transactionalId, topics }) => ({
        transactionalId,
        topicResults: notAttempted(topics, isThere),
      }))
      replyLater(
        services,
        answer.then((told) => ({ ...told, resultsByTransaction: [...(told.resultsByTransaction ?? []), ...results] })),
        reply,
      )
      return
    }
    const { v3AndBelowTopics: topics, v3AndBelowTransactionalId: transactionalId } = request
    const maySend = context.may("WRITE", "TRANSACTIONAL_ID", transactionalId)
    const errorOf = (name: string, partition: number) => {
      if (!maySend) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      if (!context.may("WRITE", "TOPIC", name)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
      return image.partition(name, partition) ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    }
    const refused = isRefused(topics, errorOf)
    if (!refused) {
      replyLater(services, transactions.addPartitionsToTxn({ apiVersion: context.apiVersion }, request), reply)
      return
    }
    reply({ resultsByTopicV3AndBelow: notAttempted(topics, errorOf) })
  },
})

type Topics = readonly { readonly name: string; readonly partitions: readonly number[] }[]
type ErrorOf = (name: string, partition: number) => ErrorCode

const isRefused = (topics: Topics, errorOf: ErrorOf): boolean =>
  topics.some(({ name, partitions }) => partitions.some((partition) => errorOf(name, partition) !== ErrorCode.NONE))

/** All or nothing: what could have been added is told that it was not tried. */
function notAttempted(topics: Topics, errorOf: ErrorOf) {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf(name, partitionIndex) || ErrorCode.OPERATION_NOT_ATTEMPTED,
    })),
  }))
}
