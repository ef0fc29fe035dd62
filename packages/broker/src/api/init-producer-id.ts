/**
 * InitProducerId (key 22), v0-5: a producer id and epoch; for a transactional id the one it had, fencing who used it.
 *
 * v3 the producer names what it has (KIP-360) · v6 two-phase commit (KIP-939) is held back by Kafka and not served.
 * Without a transactional id it takes IDEMPOTENT_WRITE on the cluster, or WRITE on any topic (KIP-679).
 * Errors: see the transaction coordinator; TRANSACTIONAL_ID_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { handler, replyLater } from "./handler.ts"

const NONE = -1

export const initProducerId = handler(InitProducerId, {
  permissions: [
    { operation: "WRITE", resource: "TRANSACTIONAL_ID" },
    { operation: "IDEMPOTENT_WRITE", resource: "CLUSTER" },
    { operation: "WRITE", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    const { transactionalId } = request
    const refused =
      transactionalId === null
        ? context.maySilently("IDEMPOTENT_WRITE", "CLUSTER") || context.maySomewhere("WRITE", "TOPIC")
          ? undefined
          : ErrorCode.CLUSTER_AUTHORIZATION_FAILED
        : context.may("WRITE", "TRANSACTIONAL_ID", transactionalId)
          ? undefined
          : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    if (refused !== undefined) {
      reply({ errorCode: refused, producerId: NONE, producerEpoch: NONE })
      return
    }
    // Half of what a producer has is nothing.
    if ((request.producerId === NONE) !== (request.producerEpoch === NONE)) {
      reply({ errorCode: ErrorCode.INVALID_REQUEST, producerId: NONE, producerEpoch: NONE })
      return
    }
    replyLater(services, services.transactions.initProducerId({ apiVersion: context.apiVersion }, request), reply)
  },
})
