/**
 * Control records: what the log itself says, in batches with the control bit. Each takes an offset and is no data.
 *
 *   key: version int16 = 0 | type int16         value of a transaction marker: version int16 = 0 | coordinatorEpoch int32
 */
import { RecordBatchView } from "./batch.ts"
import { RecordBatchBuilder } from "./builder.ts"
import { CorruptRecordError } from "./corrupt.ts"
import { int16At, int32At, putInt16, putInt32 } from "./integers.ts"
import { RecordReader } from "./record.ts"

export const ControlType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

export type ControlType = (typeof ControlType)[keyof typeof ControlType]

/** A transaction's end as the log records it. */
export interface EndTxnMarker {
  readonly committed: boolean
  readonly coordinatorEpoch: number
}

export interface EndTxnMarkerOptions extends EndTxnMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly timestamp: number
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
}

export function controlKey(type: ControlType): Uint8Array {
  const key = new Uint8Array(4)
  putInt16(key, 2, type)
  return key
}

/** The type in a control record's key; types that we do not know pass through. */
export function controlTypeOf(key: Uint8Array | null): number {
  if (key === null || key.length < 4) throw new CorruptRecordError("a control record has a key of less than 4 bytes")
  const version = int16At(key, 0)
  if (version < 0) throw new CorruptRecordError(`a control record has key version ${version}`)
  return int16At(key, 2)
}

/** A batch of one marker that commits or aborts the producer's open transaction. */
export function endTxnMarkerBatch(options: EndTxnMarkerOptions): Uint8Array {
  const value = new Uint8Array(6)
  putInt32(value, 2, options.coordinatorEpoch)
  const type = options.committed ? ControlType.COMMIT : ControlType.ABORT
  return controlBatch({ ...options, transactional: true }, options.timestamp, [[type, value]])
}

/** A batch of control records; values of the other types are messages that the caller encodes. */
export function controlBatch(
  options: {
    readonly baseOffset?: number
    readonly partitionLeaderEpoch?: number
    readonly producerId?: number
    readonly producerEpoch?: number
    readonly transactional?: boolean
  },
  timestamp: number,
  records: readonly (readonly [type: ControlType, value: Uint8Array])[],
): Uint8Array {
  const builder = new RecordBatchBuilder({
    ...(options.baseOffset === undefined ? {} : { baseOffset: options.baseOffset }),
    ...(options.partitionLeaderEpoch === undefined ? {} : { partitionLeaderEpoch: options.partitionLeaderEpoch }),
    ...(options.producerId === undefined ? {} : { producerId: options.producerId }),
    ...(options.producerEpoch === undefined ? {} : { producerEpoch: options.producerEpoch }),
    transactional: options.transactional ?? false,
    control: true,
    initialBytes: 128,
  })
  for (const [type, value] of records) builder.append(timestamp, controlKey(type), value)
  return builder.build()
}

/** The transaction marker in a control batch, or undefined when it holds another control record, or none. */
export function endTxnMarkerOf(batch: RecordBatchView): EndTxnMarker | undefined {
  const record = new RecordReader(batch)
  if (!record.next()) return undefined
  const type = controlTypeOf(record.key())
  if (type !== ControlType.ABORT && type !== ControlType.COMMIT) return undefined
  const value = record.value()
  if (value === null || value.length < 6 || int16At(value, 0) < 0) {
    throw new CorruptRecordError("a transaction marker has no valid value")
  }
  return { committed: type === ControlType.COMMIT, coordinatorEpoch: int32At(value, 2) }
}
