/**
 * Metadata records of a partition: its whole state at birth, then only what changes.
 *
 * v1 log directories of the replicas (KIP-858) · v2 eligible leader replicas (KIP-966). In a change record an absent
 * tagged field means "as before"; a leader of -2 does too.
 */
import { int32, int32s, int8, uuid, uuids } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const PartitionRecord = record(3, "PartitionRecord", "0-2", "0+", {
  partitionId: int32("0+", { default: -1 }),
  topicId: uuid("0+"),
  replicas: int32s("0+"),
  isr: int32s("0+"),
  removingReplicas: int32s("0+"),
  addingReplicas: int32s("0+"),
  leader: int32("0+", { default: -1 }),
  leaderRecoveryState: int8("0+", { default: 0, tag: 0 }),
  leaderEpoch: int32("0+", { default: -1 }),
  partitionEpoch: int32("0+", { default: -1 }),
  directories: uuids("1+"),
  eligibleLeaderReplicas: int32s("2+", { nullable: "2+", default: null, tag: 1 }),
  lastKnownElr: int32s("2+", { nullable: "2+", default: null, tag: 2 }),
})
export type PartitionRecord = Decoded<typeof PartitionRecord>

export const PartitionChangeRecord = record(5, "PartitionChangeRecord", "0-2", "0+", {
  partitionId: int32("0+", { default: -1 }),
  topicId: uuid("0+"),
  isr: int32s("0+", { nullable: "0+", default: null, tag: 0 }),
  leader: int32("0+", { default: -2, tag: 1 }),
  replicas: int32s("0+", { nullable: "0+", default: null, tag: 2 }),
  removingReplicas: int32s("0+", { nullable: "0+", default: null, tag: 3 }),
  addingReplicas: int32s("0+", { nullable: "0+", default: null, tag: 4 }),
  leaderRecoveryState: int8("0+", { default: -1, tag: 5 }),
  directories: uuids("1+", { nullable: "1+", default: null, tag: 8 }),
  eligibleLeaderReplicas: int32s("2+", { nullable: "2+", default: null, tag: 6 }),
  lastKnownElr: int32s("2+", { nullable: "2+", default: null, tag: 7 }),
})
export type PartitionChangeRecord = Decoded<typeof PartitionChangeRecord>
