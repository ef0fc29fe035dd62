/**
 * UnregisterBroker (key 64), v0: forgets a broker that will not come back (KIP-631). On purpose unlike Kafka, the broker that
 * is asked is not forgotten: a cluster of one would have no leaders until it is started again.
 *
 * Errors: BROKER_ID_NOT_REGISTERED, INVALID_REQUEST (this broker), CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { UnregisterBroker } from "@millrace/protocol/messages/unregister-broker"
import { handler } from "./handler.ts"

export const unregisterBroker = handler(UnregisterBroker, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle({ brokerId }, context, { image, nodeId, controller }, reply) {
    const answer = (errorCode: ErrorCode, errorMessage: string) => reply({ errorCode, errorMessage })
    const broker = image.broker(brokerId)
    if (!context.may("ALTER", "CLUSTER")) {
      answer(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, "Cluster authorization failed.")
    } else if (brokerId === nodeId) {
      answer(ErrorCode.INVALID_REQUEST, `Broker ${brokerId} is the one that is asked, and serves this cluster.`)
    } else if (broker === undefined) {
      answer(ErrorCode.BROKER_ID_NOT_REGISTERED, `Broker ${brokerId} is not registered.`)
    } else {
      const record = { type: "UnregisterBrokerRecord", data: { brokerId, brokerEpoch: broker.epoch } } as const
      reply(controller.commit({ records: [record], response: { errorCode: ErrorCode.NONE, errorMessage: "" } }))
    }
  },
})
