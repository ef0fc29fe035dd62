/**
 * DescribeTransactions (key 65), v0: state, producer and partitions of transactional ids (KIP-664). Topics that the client
 * may not see are left out. Errors: see the transaction coordinator; TRANSACTIONAL_ID_AUTHORIZATION_FAILED per id.
 */
import { ErrorCode } from "@millrace/protocol"
import { DescribeTransactions } from "@millrace/protocol/messages/describe-transactions"
import { handler, replyLater } from "./handler.ts"

export const describeTransactions = handler(DescribeTransactions, {
  permissions: [
    { operation: "DESCRIBE", resource: "TRANSACTIONAL_ID" },
    { operation: "DESCRIBE", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    const mayDescribe = (id: string) => context.may("DESCRIBE", "TRANSACTIONAL_ID", id)
    const allowed = request.transactionalIds.filter(mayDescribe)
    const refused = request.transactionalIds
      .filter((id) => !mayDescribe(id))
      .map((transactionalId) => ({
        errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        transactionalId,
        transactionState: "",
        transactionTimeoutMs: -1,
        transactionStartTimeMs: -1,
        producerId: -1,
        producerEpoch: -1,
        topics: [],
      }))
    const answer = services.transactions
      .describeTransactions({ apiVersion: context.apiVersion }, { ...request, transactionalIds: allowed })
      .then((response) => ({
        ...response,
        transactionStates: [
          ...response.transactionStates.map((state) => ({
            ...state,
            topics: state.topics.filter(({ topic }) => context.may("DESCRIBE", "TOPIC", topic)),
          })),
          ...refused,
        ],
      }))
    replyLater(services, answer, reply)
  },
})
