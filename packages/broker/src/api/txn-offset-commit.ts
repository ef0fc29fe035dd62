/**
 * TxnOffsetCommit (key 28), v0-6: positions that count once the producer's transaction commits.
 *
 * v3 the member is validated (KIP-447) · v4 TRANSACTION_ABORTABLE · v5 the group becomes part of the transaction implicitly (KIP-890); before, it
 * must be one already · v6 topic ids. Errors: see the group coordinator; UNKNOWN_TOPIC_OR_PARTITION,
 * UNKNOWN_TOPIC_ID, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode, isRetriable } from "@millrace/protocol"
import { TxnOffsetCommit, type TxnOffsetCommitRequest } from "@millrace/protocol/messages/txn-offset-commit"
import { CONSUMER_OFFSETS_TOPIC } from "../controller/topic-names.ts"
import { committedTopics, failedTopic, toldOnce } from "./committed-topics.ts"
import { groupContext } from "./group-context.ts"
import { type Answer, handler, replyLater, type Services } from "./handler.ts"
import { idOf } from "./topic-ids.ts"

const VERSION_ABORTABLE = 4
const VERSION_IMPLICIT_ADD = 5
const VERSION_TOPIC_IDS = 6

export const txnOffsetCommit = handler(TxnOffsetCommit, {
  permissions: [
    { operation: "WRITE", resource: "TRANSACTIONAL_ID" },
    { operation: "READ", resource: "GROUP" },
    { operation: "READ", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    const { image } = services
    const refusal = !context.may("WRITE", "TRANSACTIONAL_ID", request.transactionalId)
      ? ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      : !context.may("READ", "GROUP", request.groupId)
        ? ErrorCode.GROUP_AUTHORIZATION_FAILED
        : undefined
    if (refusal !== undefined) {
      reply({ topics: request.topics.map((topic) => failedTopic(topic, refusal)) })
      return
    }
    const byId = context.apiVersion >= VERSION_TOPIC_IDS
    const mayRead = (name: string) => context.may("READ", "TOPIC", name)
    const { known, refused } = committedTopics(request.topics, byId, image, mayRead)
    if (request.groupId === "") {
      const nameless = known.map((topic) => failedTopic(topic, ErrorCode.INVALID_GROUP_ID))
      reply({ topics: toldOnce([...nameless, ...refused], byId) })
      return
    }
    if (known.length === 0) {
      reply({ topics: toldOnce(refused, byId) })
      return
    }
    const commit = async (): Promise<Answer<typeof TxnOffsetCommit>> => {
      const error = await joinTransaction(request, context.apiVersion, services)
      if (error !== ErrorCode.NONE) {
        return { topics: toldOnce([...known.map((topic) => failedTopic(topic, error)), ...refused], byId) }
      }
      const response = await services.groups.txnOffsetCommit(groupContext(context), { ...request, topics: known })
      const topics = response.topics.map((topic) => ({ ...topic, topicId: idOf(image, topic.name) }))
      return { ...response, topics: toldOnce([...topics, ...refused], byId) }
    }
    replyLater(services, commit(), reply)
  },
})

async function joinTransaction(
  { groupId, transactionalId, producerId, producerEpoch }: TxnOffsetCommitRequest,
  apiVersion: number,
  { groups, replicas }: Services,
): Promise<ErrorCode> {
  const partition = groups.partitionFor(groupId)
  if (partition === undefined) return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const add = apiVersion >= VERSION_IMPLICIT_ADD
  const producer = { transactionalId, producerId, producerEpoch }
  const error = await replicas.joinTransaction(CONSUMER_OFFSETS_TOPIC, partition, producer, add)
  if (error === ErrorCode.CONCURRENT_TRANSACTIONS && add) return error
  if (error === ErrorCode.TRANSACTION_ABORTABLE && apiVersion < VERSION_ABORTABLE) return ErrorCode.INVALID_TXN_STATE
  // What clients of a group's coordinator know how to retry.
  return isRetriable(error) ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : error
}
