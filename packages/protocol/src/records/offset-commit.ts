/**
 * Records of `__consumer_offsets` for one committed offset: key type 1, and 0 in logs of old brokers.
 *
 * A value of null (tombstone) removes the offset. Value versions: v1 carries an expiry, v2 drops it, v3 adds the leader
 * epoch (KIP-320), v4 is flexible and may carry the topic id.
 */
import { int32, int64, string, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const LegacyOffsetCommitKey = record(0, "LegacyOffsetCommitKey", "0", "none", {
  group: string("0+"),
  topic: string("0+"),
  partition: int32("0+"),
})
export type LegacyOffsetCommitKey = Decoded<typeof LegacyOffsetCommitKey>

export const LegacyOffsetCommitValue = record(0, "LegacyOffsetCommitValue", "0", "none", {
  offset: int64("0+"),
  metadata: string("0+"),
  commitTimestamp: int64("0+"),
})
export type LegacyOffsetCommitValue = Decoded<typeof LegacyOffsetCommitValue>

export const OffsetCommitKey = record(1, "OffsetCommitKey", "0", "none", {
  group: string("0+"),
  topic: string("0+"),
  partition: int32("0+"),
})
export type OffsetCommitKey = Decoded<typeof OffsetCommitKey>

export const OffsetCommitValue = record(1, "OffsetCommitValue", "0-4", "4+", {
  offset: int64("0+"),
  leaderEpoch: int32("3+", { default: -1, ignorable: true }),
  metadata: string("0+"),
  commitTimestamp: int64("0+"),
  expireTimestamp: int64("1", { default: -1, ignorable: true }),
  topicId: uuid("4+", { tag: 0, ignorable: true }),
})
export type OffsetCommitValue = Decoded<typeof OffsetCommitValue>
