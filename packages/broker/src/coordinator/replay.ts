/** From batches of an internal topic to a shard's state. */
import { type RecordBatchView, batches } from "@millrace/protocol/record/batch"
import { endTxnMarkerOf } from "@millrace/protocol/record/control"
import { readRecords } from "@millrace/protocol/record/record"
import type { CoordinatorShard } from "./shard.ts"

type Replayable<Record> = Pick<CoordinatorShard<never, Record, never, never>, "decode" | "replay" | "replayMarker">

/** Applies whole batches in order; answers with the offset after them, or undefined when there were none. */
export function replayBatches<Record>(bytes: Uint8Array, shard: Replayable<Record>): number | undefined {
  let nextOffset: number | undefined
  for (const batch of batches(bytes)) {
    if (batch.isControl) replayControl(batch, shard)
    else replayData(batch, shard)
    nextOffset = batch.nextOffset
  }
  return nextOffset
}

function replayControl<Record>(batch: RecordBatchView, shard: Replayable<Record>): void {
  const marker = endTxnMarkerOf(batch)
  if (marker === undefined) return
  const { producerId, producerEpoch } = batch
  shard.replayMarker({ producerId, producerEpoch, commit: marker.committed })
}

function replayData<Record>(batch: RecordBatchView, shard: Replayable<Record>): void {
  const { producerId, producerEpoch } = batch
  const transaction = batch.isTransactional ? { producerId, producerEpoch } : undefined
  readRecords(batch, (reader) => {
    const key = reader.key()
    if (key === null) return
    const record = shard.decode({ key, value: reader.value() })
    if (record !== undefined) shard.replay(record, { offset: reader.offset, transaction })
  })
}
