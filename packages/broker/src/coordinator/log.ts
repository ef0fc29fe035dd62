/**
 * What a coordinator needs from the log of its internal topic (`__consumer_offsets`, `__transaction_state`).
 *
 * The broker implements it over its partitions. All calls are synchronous (DESIGN section 5): an append reaches the page
 * cache before it returns. Only the coordinator appends to these partitions, so offsets are decided in call order.
 */
import type { ErrorCode } from "@millrace/protocol"

export type CoordinatorAppend =
  | { readonly ok: true; readonly baseOffset: number; readonly lastOffset: number }
  | { readonly ok: false; readonly error: ErrorCode }

export interface CoordinatorLog {
  /** Partitions of the internal topic; 0 while the topic does not exist. Fixed once it does. */
  partitionCount(): number
  /**
   * Appends whole batches, all or none, as the leader of `leaderEpoch`. The log assigns offsets in place; the buffer is
   * the log's until the call returns. Refused with NOT_LEADER_OR_FOLLOWER once another epoch rules.
   */
  append(partition: number, batches: Uint8Array, leaderEpoch: number): CoordinatorAppend
  /** Whole batches from `fromOffset` on, at least one, about `maxBytes`; empty at the log's end. Not bound by the high watermark. */
  read(partition: number, fromOffset: number, maxBytes: number): Uint8Array
  logStartOffset(partition: number): number
  logEndOffset(partition: number): number
  highWatermark(partition: number): number
  /** Largest batch the topic takes (`max.message.bytes`). */
  maxBatchBytes(partition: number): number
}

/**
 * Kafka's rule for the coordinator of a group or a transactional id: the absolute value of Java's `String.hashCode`, and 0
 * for the one value that has none. It is not the sign bit that is dropped: half of all ids would be elsewhere.
 */
export function coordinatorPartition(id: string, partitionCount: number): number {
  let hash = 0
  for (let index = 0; index < id.length; index++) hash = (Math.imul(hash, 31) + id.charCodeAt(index)) | 0
  return hash === -2_147_483_648 ? 0 : Math.abs(hash) % partitionCount
}
