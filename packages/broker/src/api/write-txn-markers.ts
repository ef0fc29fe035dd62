/**
 * WriteTxnMarkers (key 27), v1-2: ends a producer's transaction on given partitions. Between brokers it carries a
 * coordinator's decision; from `Admin.abortTransaction` it frees a partition from a transaction that hangs. Errors per
 * partition: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED, KAFKA_STORAGE_ERROR,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { WriteTxnMarkers, type WriteTxnMarkersRequest } from "@millrace/protocol/messages/write-txn-markers"
import { handler, replyLater, type Services } from "./handler.ts"

type Marker = WriteTxnMarkersRequest["markers"][number]
interface Result {
  readonly partitionIndex: number
  errorCode: ErrorCode
}

export const writeTxnMarkers = handler(WriteTxnMarkers, {
  permissions: [
    { operation: "CLUSTER_ACTION", resource: "CLUSTER" },
    { operation: "ALTER", resource: "CLUSTER" },
  ],
  handle(request, context, services, reply) {
    const allowed = context.maySilently("CLUSTER_ACTION", "CLUSTER") || context.may("ALTER", "CLUSTER")
    const pending: Promise<void>[] = []
    const markers = request.markers
      .filter(({ topics }) => topics.length > 0)
      .map((marker) => write(marker, allowed, services, pending))
    replyLater(
      services,
      Promise.all(pending).then(() => ({ markers })),
      reply,
    )
  },
})

/**
 * Codes of partitions that are written to are filled in later; those of others cost no promise each, of which a request can
 * name a million.
 */
function write(marker: Marker, allowed: boolean, { replicas }: Services, pending: Promise<void>[]) {
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult } = marker
  const end = { producerId, producerEpoch, coordinatorEpoch, commit: transactionResult }
  const refusal: ErrorCode = !allowed
    ? ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    : // The ends of 64 bits are nobody's id, and a batch cannot have them.
      Number.isSafeInteger(producerId)
      ? ErrorCode.NONE
      : ErrorCode.INVALID_REQUEST
  const topics = marker.topics.map(({ name: topic, partitionIndexes }) => ({
    name: topic,
    partitions: partitionIndexes.map((partition) => {
      const result: Result = { partitionIndex: partition, errorCode: refusal }
      if (refusal !== ErrorCode.NONE) return result
      if (replicas.partition(topic, partition) === undefined) {
        result.errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return result
      }
      const written = replicas.endTransaction({ topic, partition }, end)
      pending.push(written.then((errorCode) => void (result.errorCode = errorCode)))
      return result
    }),
  }))
  return { producerId, topics }
}
