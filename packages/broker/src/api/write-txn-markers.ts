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

export const writeTxnMarkers = handler(WriteTxnMarkers, {
  permissions: [
    { operation: "CLUSTER_ACTION", resource: "CLUSTER" },
    { operation: "ALTER", resource: "CLUSTER" },
  ],
  handle(request, context, services, reply) {
    const allowed = context.may("CLUSTER_ACTION", "CLUSTER") || context.may("ALTER", "CLUSTER")
    const markers = request.markers.filter(({ topics }) => topics.length > 0)
    const answer = Promise.all(markers.map((marker) => write(marker, allowed, services)))
    replyLater(
      services,
      answer.then((markers) => ({ markers })),
      reply,
    )
  },
})

async function write(marker: Marker, allowed: boolean, { replicas }: Services) {
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult } = marker
  const end = { producerId, producerEpoch, coordinatorEpoch, commit: transactionResult }
  const topics = marker.topics.map(async ({ name, partitionIndexes }) => ({
    name,
    partitions: await Promise.all(
      partitionIndexes.map(async (partition) => ({
        partitionIndex: partition,
        errorCode: !allowed
          ? ErrorCode.CLUSTER_AUTHORIZATION_FAILED
          : // The ends of 64 bits are nobody's id, and a batch cannot have them.
            Number.isSafeInteger(producerId)
            ? await replicas.endTransaction({ topic: name, partition }, end)
            : ErrorCode.INVALID_REQUEST,
      })),
    ),
  }))
  return { producerId, topics: await Promise.all(topics) }
}
