/**
 * Rewrites a batch with the topic's own codec (compression.type other than "producer"). Everything but the bytes of
 * the records stays: offsets, times, producer identity, attributes.
 */
import { type RecordBatchView } from "@millrace/protocol/record/batch"
import { RecordBatchBuilder } from "@millrace/protocol/record/builder"
import type { Compression } from "@millrace/protocol/record/compression"
import { RecordReader } from "@millrace/protocol/record/record"

export function recompress(batch: RecordBatchView, codec: Compression, decompressedBytesMax: number): Uint8Array {
  const logAppendTime = batch.timestampType === "LogAppendTime"
  const builder = new RecordBatchBuilder({
    compression: codec,
    baseOffset: batch.baseOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    transactional: batch.isTransactional,
    control: batch.isControl,
    initialBytes: batch.sizeInBytes * 2,
    ...(logAppendTime ? { logAppendTime: batch.maxTimestamp } : {}),
  })
  const records = new RecordReader(batch, { decompressedBytesMax })
  while (records.next()) {
    builder.appendAt(
      records.offset - batch.baseOffset,
      records.timestamp,
      records.key(),
      records.value(),
      records.headers(),
    )
  }
  return builder.build(batch.lastOffsetDelta)
}
