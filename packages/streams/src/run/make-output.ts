/**
 * What a worker writes through: a transactional producer, or a plain one and the consumer's commits.
 */
import type { Consumer, KafkaClient } from "@millrace/client"
import { AtLeastOnceOutput, ExactlyOnceOutput, type WorkerOutput } from "./kafka-output.ts"
import type { ResolvedRunOptions } from "./options.ts"

/** Records are processed while the producer holds no more than this. */
const OUTPUT_BYTES = 64 * 1024 * 1024
/** What comes of one record, such as all windows that it closes, goes to the producer without a pause: it must fit. */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024 * 1024

export function makeOutput(
  client: KafkaClient,
  options: ResolvedRunOptions,
  transactionalId: string,
  consumer: Consumer,
  partitions: ReadonlyMap<string, number>,
): WorkerOutput {
  if (options.processingGuarantee === "at-least-once") {
    return new AtLeastOnceOutput(
      client.producer({ bufferMemory: OUTPUT_BYTES, bufferMemoryMax: OUTPUT_BYTES_MAX }),
      partitions,
      (offsets) => consumer.commit(offsets),
    )
  }
  const { transactionTimeoutMs } = options
  return new ExactlyOnceOutput({
    makeProducer: () =>
      client.producer({
        transactionalId,
        transactionTimeoutMs,
        deliveryTimeoutMs: transactionTimeoutMs,
        transactionRequestTimeoutMs: transactionTimeoutMs,
        bufferMemory: OUTPUT_BYTES,
        bufferMemoryMax: OUTPUT_BYTES_MAX,
      }),
    groupMetadata: () => consumer.groupMetadata(),
    partitions,
  })
}
