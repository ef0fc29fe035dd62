/**
 * Records of `__share_group_state`: delivery state of a share partition, whole or as a change of the last whole one
 * (KIP-932).
 */
import { int16, int32, int64, int8, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const ShareSnapshotKey = record(0, "ShareSnapshotKey", "0", "none", {
  groupId: string("0+"),
  topicId: uuid("0+"),
  partition: int32("0+"),
})
export type ShareSnapshotKey = Decoded<typeof ShareSnapshotKey>

export const ShareSnapshotValue = record(0, "ShareSnapshotValue", "0", "0+", {
  snapshotEpoch: int32("0+"),
  stateEpoch: int32("0+"),
  leaderEpoch: int32("0+"),
  startOffset: int64("0+"),
  deliveryCompleteCount: int32("0+", { default: -1, tag: 0 }),
  createTimestamp: int64("0+"),
  writeTimestamp: int64("0+"),
  stateBatches: structs("0+", {
    firstOffset: int64("0+"),
    lastOffset: int64("0+"),
    deliveryState: int8("0+"),
    deliveryCount: int16("0+"),
  }),
})
export type ShareSnapshotValue = Decoded<typeof ShareSnapshotValue>

export const ShareUpdateKey = record(1, "ShareUpdateKey", "0", "none", {
  groupId: string("0+"),
  topicId: uuid("0+"),
  partition: int32("0+"),
})
export type ShareUpdateKey = Decoded<typeof ShareUpdateKey>

export const ShareUpdateValue = record(1, "ShareUpdateValue", "0", "0+", {
  snapshotEpoch: int32("0+"),
  leaderEpoch: int32("0+"),
  startOffset: int64("0+"),
  deliveryCompleteCount: int32("0+", { default: -1, tag: 0 }),
  stateBatches: structs("0+", {
    firstOffset: int64("0+"),
    lastOffset: int64("0+"),
    deliveryState: int8("0+"),
    deliveryCount: int16("0+"),
  }),
})
export type ShareUpdateValue = Decoded<typeof ShareUpdateValue>
