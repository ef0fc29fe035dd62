/**
 * FindCoordinator (key 10), v0-6: which broker looks after a group (type 0) or a transactional id (type 1).
 *
 * v1 key types · v4 many keys in one request (KIP-699). The internal topic is made at the first question.
 *
 * Errors: COORDINATOR_NOT_AVAILABLE, INVALID_REQUEST (unknown type), GROUP_AUTHORIZATION_FAILED,
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from "../controller/topic-names.ts"
import type { RequestContext } from "../network/context.ts"
import { handler, type Services } from "./handler.ts"

const GROUP = 0
const TRANSACTION = 1
const VERSION_MANY_KEYS = 4

export const findCoordinator = handler(FindCoordinator, {
  permissions: [
    { operation: "DESCRIBE", resource: "GROUP" },
    { operation: "DESCRIBE", resource: "TRANSACTIONAL_ID" },
  ],
  handle({ key, keyType, coordinatorKeys }, context, services, reply) {
    if (context.apiVersion >= VERSION_MANY_KEYS) {
      const coordinators = coordinatorKeys.map((each) => ({ key: each, ...find(each, keyType, context, services) }))
      reply({ coordinators })
    } else {
      reply(find(key, keyType, context, services))
    }
  },
})

interface Found {
  errorCode: number
  errorMessage: string | null
  nodeId: number
  host: string
  port: number
}

const nowhere = (errorCode: number, errorMessage: string | null = null): Found => ({
  errorCode,
  errorMessage,
  nodeId: -1,
  host: "",
  port: -1,
})

function find(key: string, keyType: number, context: RequestContext, services: Services): Found {
  const { image, groups, transactions, internalTopics } = services
  let topic: string
  let partition: () => number | undefined
  if (keyType === GROUP) {
    if (!context.may("DESCRIBE", "GROUP", key)) return nowhere(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    topic = CONSUMER_OFFSETS_TOPIC
    partition = () => groups.partitionFor(key)
  } else if (keyType === TRANSACTION) {
    if (!context.may("DESCRIBE", "TRANSACTIONAL_ID", key)) {
      return nowhere(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    }
    topic = TRANSACTION_STATE_TOPIC
    partition = () => transactions.partitionFor(key)
  } else {
    return nowhere(ErrorCode.INVALID_REQUEST, `There is no coordinator of type ${keyType}.`)
  }
  internalTopics.ensure(topic)
  const index = partition()
  const leader = index === undefined ? undefined : image.partition(topic, index)?.leader
  const broker = leader === undefined ? undefined : image.broker(leader)
  const endpoint = broker && services.endpoint(broker, context)
  if (!endpoint) return nowhere(ErrorCode.COORDINATOR_NOT_AVAILABLE, "The coordinator is not available.")
  return { ...nowhere(ErrorCode.NONE), nodeId: broker.id, host: endpoint.host, port: endpoint.port }
}
